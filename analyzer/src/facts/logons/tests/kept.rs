//! From when on what is kept is complete.

use super::*;
use crate::facts::logons::fold::{By, SUCCESSES, Success, Successes};

#[test]
fn successes_are_complete_from_the_hour_after_the_oldest_one_kept() {
    let mut events = Events::default();
    assert_eq!(success::complete_from(&events), None);
    let hour = fold::minute_of(at(0)).div_euclid(60);
    let success = Success {
        time: at(0),
        record: 1,
        by: By::Lsm,
    };
    for n in 0..=SUCCESSES {
        let key = (hour, IpAddr::from([203, 0, 113, 7]), format!("u{n}").into());
        let value = Successes(Some([success, success]), Some(By::Lsm));
        events.successes.add(key, value);
    }
    assert_eq!(success::complete_from(&events), Some(at(3600)));
}
