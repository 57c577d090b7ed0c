//! What JUnit files say.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::escape::escape;
use quick_xml::events::{BytesStart, Event};

/// How a test ended. The worst comes last: a test that ran more than once is as good as its worst run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    Passed,
    Skipped,
    Failed,
}

/// Tests by `suite: name`. The suite is the name of the file without `.xml`.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Results(BTreeMap<String, Verdict>);

impl Results {
    /// Every `.xml` file below a folder.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let mut results = Self::default();
        results.read_folder(folder)?;
        Ok(results)
    }

    fn read_folder(&mut self, folder: &Path) -> Result<()> {
        let entries = fs::read_dir(folder)
            .with_context(|| format!("no results in {}: run the tests first", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                self.read_folder(&path)?;
            } else if path.extension().is_some_and(|extension| extension == "xml") {
                let text = fs::read_to_string(&path)?;
                let suite = path.file_stem().unwrap_or_default().to_string_lossy();
                self.read_text(&suite, &text)
                    .with_context(|| format!("reading {}", path.display()))?;
            }
        }
        Ok(())
    }

    /// One file. A file that was cut off is refused: what is missing in it would count for nothing.
    fn read_text(&mut self, suite: &str, text: &str) -> Result<()> {
        let mut reader = Reader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        let mut open = None;
        let mut depth = 0_u32;
        let mut rooted = false;
        loop {
            match reader.read_event()? {
                Event::Start(element) => {
                    (depth, rooted) = (depth + 1, true);
                    self.enter(suite, &element, &mut open)?;
                }
                Event::End(element) => {
                    depth = depth.saturating_sub(1);
                    if element.name().as_ref() == "testcase" {
                        self.close(&mut open);
                    }
                }
                Event::Eof if rooted && depth == 0 => return Ok(()),
                Event::Eof => bail!("the file ends before its root does"),
                _ => {}
            }
        }
    }

    fn enter(
        &mut self,
        suite: &str,
        element: &BytesStart<'_>,
        open: &mut Option<(String, Verdict)>,
    ) -> Result<()> {
        let worst = match element.name().as_ref() {
            "testcase" => {
                *open = Some((format!("{suite}: {}", name_of(element)?), Verdict::Passed));
                return Ok(());
            }
            "failure" | "error" => Verdict::Failed,
            "skipped" => Verdict::Skipped,
            _ => return Ok(()),
        };
        if let Some((_, verdict)) = open {
            *verdict = (*verdict).max(worst);
        }
        Ok(())
    }

    fn close(&mut self, open: &mut Option<(String, Verdict)>) {
        if let Some((name, verdict)) = open.take() {
            self.note(name, verdict);
        }
    }

    pub(crate) fn note(&mut self, name: String, verdict: Verdict) {
        let known = self.0.entry(name).or_insert(verdict);
        *known = (*known).max(verdict);
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, Verdict)> {
        self.0
            .iter()
            .map(|(name, verdict)| (name.as_str(), *verdict))
    }

    /// One suite as a JUnit file; `names` are those of its tests without the suite.
    pub(crate) fn write(suite: &str, names: &BTreeMap<String, Verdict>) -> String {
        let count = |verdict| names.values().filter(|known| **known == verdict).count();
        let mut text = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n<testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" skipped=\"{}\">\n",
            plain(suite),
            names.len(),
            count(Verdict::Failed),
            count(Verdict::Skipped),
        );
        for (name, verdict) in names {
            let inside = match verdict {
                Verdict::Passed => "",
                Verdict::Skipped => "<skipped/>",
                Verdict::Failed => "<failure message=\"see the run's output\"/>",
            };
            text.push_str(&format!(
                "<testcase classname=\"{}\" name=\"{}\">{inside}</testcase>\n",
                plain(suite),
                plain(name)
            ));
        }
        text.push_str("</testsuite>\n</testsuites>\n");
        text
    }
}

fn name_of(element: &BytesStart<'_>) -> Result<String> {
    let name = element
        .try_get_attribute("name")?
        .context("a test case has no name")?;
    Ok(name.normalized_value(XmlVersion::Explicit1_0)?.into_owned())
}

/// Text that may stand in an attribute of XML 1.0, which has no control characters.
fn plain(text: &str) -> String {
    let visible: String = text.chars().filter(|c| !c.is_control()).collect();
    escape(visible.as_str()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Results {
        let mut results = Results::default();
        results.read_text("ui", text).unwrap();
        results
    }

    fn verdicts(results: &Results) -> Vec<(&str, Verdict)> {
        results.iter().collect()
    }

    #[test]
    fn a_case_is_passed_failed_broken_or_skipped() {
        let results = read(
            "<?xml version='1.0'?><testsuites><testsuite name='x'>
             <testcase name='a' classname='f'/><testcase name='b'><failure>why</failure></testcase>
             <testcase name='c'><system-out>words</system-out><error/></testcase>
             <testcase name='d &gt; &quot;e&quot;'><skipped/></testcase></testsuite></testsuites>",
        );
        let expected = [
            ("ui: a", Verdict::Passed),
            ("ui: b", Verdict::Failed),
            ("ui: c", Verdict::Failed),
            ("ui: d > \"e\"", Verdict::Skipped),
        ];
        assert_eq!(verdicts(&results), expected);
    }

    #[test]
    fn a_test_that_ran_twice_is_as_good_as_its_worst_run() {
        let twice = "<s><testcase name='a'><failure/></testcase><testcase name='a'/></s>";
        assert_eq!(verdicts(&read(twice)), [("ui: a", Verdict::Failed)]);
    }

    #[test]
    fn what_is_written_reads_back() {
        let names = BTreeMap::from([
            ("a <b> & \"c\" \u{7}".to_owned(), Verdict::Passed),
            ("d".to_owned(), Verdict::Failed),
            ("e".to_owned(), Verdict::Skipped),
        ]);
        let results = read(&Results::write("ui", &names));
        let expected = [
            ("ui: a <b> & \"c\" ", Verdict::Passed),
            ("ui: d", Verdict::Failed),
            ("ui: e", Verdict::Skipped),
        ];
        assert_eq!(verdicts(&results), expected);
    }

    #[test]
    fn a_file_that_was_cut_off_or_is_empty_is_refused() {
        for text in ["", "<s><testcase name='a'/>", "<s><testcase/></s>"] {
            assert!(Results::default().read_text("ui", text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_folder_that_is_not_there_says_what_to_do() {
        let error = Results::read(Path::new("/nowhere/results")).unwrap_err();
        assert!(error.to_string().contains("run the tests first"), "{error}");
    }
}
