//! Stored documents and their versions.
//! Owns: the field "v", and the words of closed enums in columns.
//! Never: knows what a document says.

use domain::boundary::StoreError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// A type that is kept as JSON with its version in "v".
pub(crate) trait Document: Serialize + DeserializeOwned {
    /// What people call it.
    const WHAT: &'static str;
    /// The version written now.
    const VERSION: i64;

    /// Turns the fields of version `from` into those of the next one, or says why it cannot.
    fn upgrade(from: i64, fields: Map<String, Value>) -> Result<Map<String, Value>, String>;
}

/// The text to keep.
pub(crate) fn write<T: Document>(document: &T) -> Result<String, StoreError> {
    let value = serde_json::to_value(document).map_err(|error| corrupt::<T>(&error))?;
    let Value::Object(fields) = value else {
        return Err(corrupt::<T>(&"it is no object"));
    };
    let mut kept = Map::with_capacity(fields.len() + 1);
    kept.insert("v".to_owned(), T::VERSION.into());
    kept.extend(fields);
    Ok(Value::Object(kept).to_string())
}

/// The document that was kept, in whatever version it was written.
pub(crate) fn read<T: Document>(text: &str) -> Result<T, StoreError> {
    let mut fields: Map<String, Value> =
        serde_json::from_str(text).map_err(|error| corrupt::<T>(&error))?;
    let written = fields
        .remove("v")
        .and_then(|version| version.as_i64())
        .ok_or_else(|| corrupt::<T>(&"it has no version"))?;
    if written > T::VERSION {
        return Err(corrupt::<T>(&format!("version {written} is newer")));
    }
    for version in written..T::VERSION {
        fields = T::upgrade(version, fields).map_err(|why| corrupt::<T>(&why))?;
    }
    serde_json::from_value(Value::Object(fields)).map_err(|error| corrupt::<T>(&error))
}

fn corrupt<T: Document>(why: &dyn std::fmt::Display) -> StoreError {
    StoreError::Corrupt {
        what: T::WHAT,
        why: why.to_string(),
    }
}

/// The word of a closed enum in a column.
pub(crate) fn word<T: Serialize>(value: &T) -> String {
    serde_json::to_value(value)
        .ok()
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_default()
}

/// The value that a word in a column stands for.
pub(crate) fn from_word<T: DeserializeOwned>(
    what: &'static str,
    word: &str,
) -> Result<T, StoreError> {
    serde_json::from_value(Value::String(word.to_owned())).map_err(|error| StoreError::Corrupt {
        what,
        why: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Shelf {
        boards: i64,
    }

    impl Document for Shelf {
        const WHAT: &'static str = "shelf";
        const VERSION: i64 = 3;

        fn upgrade(
            from: i64,
            mut fields: Map<String, Value>,
        ) -> Result<Map<String, Value>, String> {
            match from {
                1 => {
                    let planks = fields.remove("planks").ok_or("no planks")?;
                    fields.insert("slats".to_owned(), planks);
                }
                2 => {
                    let slats = fields.remove("slats").ok_or("no slats")?;
                    fields.insert("boards".to_owned(), slats);
                }
                _ => return Err(format!("there is no version {from}")),
            }
            Ok(fields)
        }
    }

    #[test]
    fn older_versions_are_upgraded_step_by_step() {
        assert_eq!(read(r#"{"v":1,"planks":4}"#), Ok(Shelf { boards: 4 }));
        assert_eq!(read(r#"{"v":2,"slats":4}"#), Ok(Shelf { boards: 4 }));
        let written = write(&Shelf { boards: 4 }).unwrap();
        assert_eq!(written, r#"{"v":3,"boards":4}"#);
        assert_eq!(read(&written), Ok(Shelf { boards: 4 }));
    }

    #[test]
    fn what_is_newer_or_has_no_version_is_refused() {
        for text in [
            r#"{"v":4,"boards":4}"#,
            r#"{"boards":4}"#,
            r#"{"v":0,"boards":4}"#,
            "[]",
            "{",
        ] {
            let error = read::<Shelf>(text).unwrap_err();
            assert!(
                matches!(error, StoreError::Corrupt { what: "shelf", .. }),
                "{text}"
            );
        }
    }
}
