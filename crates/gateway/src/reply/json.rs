//! Replies in JSON.
//! Owns: the walk through a JSON text, every member counted, repeated ones too.
//! Never: builds a tree of the reply.

use std::fmt;

use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use zeroize::Zeroizing;

use super::hunt::{Hunt, Malformed};

/// Walks a JSON text; nothing but white space may follow it.
pub(crate) fn read(text: &str, hunt: &mut Hunt) -> Result<(), Malformed> {
    let mut json = serde_json::Deserializer::from_str(text);
    Walk(hunt).deserialize(&mut json).map_err(|_| Malformed)?;
    json.end().map_err(|_| Malformed)
}

struct Walk<'h>(&'h mut Hunt);

impl Walk<'_> {
    fn text(self, text: impl fmt::Display) {
        self.0.leaf(&Zeroizing::new(text.to_string()));
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: de::Deserializer<'de>>(self, value: D) -> Result<(), D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.text(value);
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.text(value);
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.text(value);
        Ok(())
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.text(value);
        Ok(())
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        self.0.leaf(value);
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.0.leaf("null");
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        self.0.container();
        while let Some(name) = members.next_key::<String>()? {
            self.0.enter(&name).map_err(too_deep)?;
            members.next_value_seed(Walk(self.0))?;
            self.0.leave();
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        self.0.container();
        for index in 0.. {
            self.0.enter_index(index).map_err(too_deep)?;
            let more = elements.next_element_seed(Walk(self.0))?.is_some();
            self.0.leave();
            if !more {
                break;
            }
        }
        Ok(())
    }
}

fn too_deep<E: de::Error>(_: Malformed) -> E {
    E::custom("too deep")
}
