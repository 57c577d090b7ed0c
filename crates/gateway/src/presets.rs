//! Configurations of known gateways.
//! Owns: the list of them, as files that are part of the program.
//! Never: holds a credential, or changes a configuration by itself: a preset is a beginning.

use std::sync::LazyLock;

use domain::gateway::file::Preset;

use crate::file::read;

/// Files of presets, by the name of each.
macro_rules! files {
    ($($id:literal),* $(,)?) => {
        [$(($id, include_str!(concat!("../presets/", $id, ".toml")))),*]
    };
}

/// All of them, in the order of their files. A test compares it with the folder.
const FILES: [(&str, &str); 18] = files![
    "adyen-card",
    "authorizenet-json-card",
    "authorizenet-json-check",
    "cardpointe-card",
    "cardpointe-check",
    "converge-card",
    "cybersource-card",
    "flat-json-twilio-contract",
    "flat-json",
    "localstripe-card",
    "nmi-card",
    "nmi-check",
    "payflow-card",
    "payflow-check",
    "stripe-card",
    "usaepay-card",
    "usaepay-check",
    "worldpay-xml-card",
];

static ALL: LazyLock<Vec<Preset>> = LazyLock::new(|| {
    let mut all: Vec<Preset> = FILES
        .iter()
        .filter_map(|(id, text)| Preset::of(id, read(text).ok()?.file))
        .collect();
    all.sort_by(|one, other| one.title.cmp(&other.title));
    all
});

/// All presets, by their titles.
#[must_use]
pub fn presets() -> &'static [Preset] {
    &ALL
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use domain::capture::PaymentType;

    use super::*;

    #[test]
    fn every_file_of_the_folder_is_offered() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("presets");
        let entries = std::fs::read_dir(folder).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        let listed: Vec<String> = FILES.iter().map(|(id, _)| format!("{id}.toml")).collect();
        assert_eq!(names, listed);
        assert_eq!(presets().len(), FILES.len(), "one is no preset");
    }

    #[test]
    fn a_preset_asks_for_what_is_the_merchants_own_and_holds_no_credential() {
        for preset in presets() {
            let problems = preset.gateway.problems(preset.kind).into_iter();
            let mut wrong: Vec<String> = problems.map(|problem| problem.field).collect();
            let mut asked = preset.fill.clone();
            wrong.sort();
            asked.sort();
            assert_eq!(wrong, asked, "{}", preset.id);
            let is_check = preset.kind == PaymentType::Check;
            assert_eq!(preset.id.ends_with("-check"), is_check, "{}", preset.id);
            assert!(!preset.notes.is_empty(), "{}", preset.id);
            for header in &preset.gateway.request_headers {
                let is_time = ["ApiTimeout", "X-VPS-CLIENT-TIMEOUT"].contains(&&*header.name);
                assert!(header.value.contains('{') || is_time, "{}", header.name);
            }
        }
    }
}
