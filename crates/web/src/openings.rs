//! Who is listening to which recording.
//! Owns: when a playing begins and lapses, so that each stands in the trail once and not once for each range that a player asks for.
//! Never: says who may listen.

use std::collections::HashMap;
use std::time::Duration;

use domain::id::RecordingId;
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::Instant;

use crate::login::LoginKey;

/// A player that asks for nothing for so long has been put away; what it asks for then is another playing. Players read ahead by some minutes.
const LAPSE: Duration = Duration::from_secs(15 * 60);
/// Playings that are known at a time. Beyond, the one that asked longest ago is forgotten and stands in the trail anew.
const OPENINGS_MAX: usize = 4_096;

/// Playings under way.
#[derive(Default)]
pub(crate) struct Openings(Mutex<Table>);

/// When which login last asked for audio of which recording.
pub(crate) type Table = HashMap<(LoginKey, RecordingId), Instant>;

impl Openings {
    /// The table, held while a playing is written into the trail: of two requests at once only one begins it.
    pub(crate) async fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().await
    }
}

/// The login is listening to it already, and goes on.
pub(crate) fn goes_on(
    table: &mut Table,
    login: &LoginKey,
    recording: &RecordingId,
    now: Instant,
) -> bool {
    let asked = table.get_mut(&(*login, recording.clone()));
    let asked = asked.filter(|asked| now.saturating_duration_since(**asked) < LAPSE);
    asked.map(|asked| *asked = now).is_some()
}

/// It begins to listen.
pub(crate) fn begin(table: &mut Table, login: &LoginKey, recording: RecordingId, now: Instant) {
    if table.len() >= OPENINGS_MAX {
        table.retain(|_, asked| now.saturating_duration_since(*asked) < LAPSE);
    }
    if table.len() >= OPENINGS_MAX
        && let Some(oldest) = table.iter().min_by_key(|(_, asked)| **asked)
    {
        let oldest = oldest.0.clone();
        table.remove(&oldest);
    }
    table.insert((*login, recording), now);
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANNA: LoginKey = [1; 32];
    const SAM: LoginKey = [2; 32];

    #[test]
    fn a_playing_is_one_logins_of_one_recording_until_it_lapses() {
        let (mut table, now) = (Table::new(), Instant::now());
        let [one, other] = [1, 2].map(RecordingId::from_random);
        assert!(!goes_on(&mut table, &ANNA, &one, now));
        begin(&mut table, &ANNA, one.clone(), now);
        assert!(!goes_on(&mut table, &SAM, &one, now));
        assert!(!goes_on(&mut table, &ANNA, &other, now));
        let later = now + LAPSE - Duration::from_secs(1);
        assert!(goes_on(&mut table, &ANNA, &one, later));
        assert!(goes_on(&mut table, &ANNA, &one, later + LAPSE / 2));
        assert!(!goes_on(&mut table, &ANNA, &one, later + LAPSE * 2));
    }

    #[test]
    fn the_oldest_playing_is_forgotten_first() {
        let (mut table, now) = (Table::new(), Instant::now());
        let recording = |number| RecordingId::from_random(number);
        for number in 0..=OPENINGS_MAX as u128 {
            let at = now + Duration::from_millis(u64::try_from(number).unwrap());
            begin(&mut table, &ANNA, recording(number), at);
        }
        assert_eq!(table.len(), OPENINGS_MAX);
        assert!(!goes_on(&mut table, &ANNA, &recording(0), now));
        assert!(goes_on(&mut table, &ANNA, &recording(1), now));
    }
}
