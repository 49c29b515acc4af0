use super::*;
use crate::checks::table::{TABLE, threshold_keys};

const DAYS: Threshold = Threshold {
    key: "os-status.uptime",
    default: 400.0,
    unit: "days",
    meaning: "more is a warning",
    source: "ours",
};

fn file(text: &str) -> Result<Thresholds, ThresholdError> {
    Thresholds::default().with_file("limits.toml", text, &[DAYS.key])
}

fn read(text: &str) -> Result<f64, ThresholdError> {
    file(text).map(|thresholds| thresholds.get(&DAYS))
}

#[test]
fn a_file_sets_what_it_names_and_nothing_else() {
    assert_eq!(read(""), Ok(400.0));
    assert_eq!(read("[os-status]\nuptime = 90"), Ok(90.0));
    assert_eq!(read("[os-status]\nuptime = 0.5"), Ok(0.5));
}

#[test]
fn a_typing_error_is_refused() {
    let unknown = |key: &str| Err(ThresholdError::UnknownKey(key.to_owned()));
    assert_eq!(
        read("[os-status]\nuptimes = 90"),
        unknown("os-status.uptimes")
    );
    assert_eq!(read("uptime = 90"), unknown("uptime"));
    let bad = Err(ThresholdError::BadValue("os-status.uptime".to_owned()));
    assert_eq!(read("[os-status]\nuptime = -1"), bad);
    assert_eq!(read("[os-status]\nuptime = inf"), bad);
    assert_eq!(read("[os-status]\nuptime = '90'"), bad);
    assert!(matches!(read("[os-status"), Err(ThresholdError::Syntax(_))));
    assert_eq!(read("profile = 1"), Err(ThresholdError::BadProfile));
    let error = read("profile = \"lax\"").unwrap_err().to_string();
    assert_eq!(error, "'lax' is no profile; there is: strict");
}

#[test]
fn who_set_a_value_is_known() {
    let by = |text: &str| file(text).unwrap().in_force(&DAYS).set_by;
    assert_eq!(by(""), SetBy::Default);
    let named = SetBy::File("limits.toml".to_owned());
    assert_eq!(by("[os-status]\nuptime = 90"), named);
    assert_eq!(by("[os-status]\nuptime = 400"), named);
}

/// What a profile sets differs from the default, and every key is that of a check.
#[test]
fn the_profiles_agree_with_the_checks() {
    for profile in Profile::ALL {
        assert_eq!(profile.name().parse(), Ok(profile));
        let thresholds = Thresholds::of_profile(profile, &threshold_keys()).unwrap();
        assert!(!thresholds.set.is_empty());
        for threshold in TABLE.iter().flat_map(|check| check.thresholds) {
            let limit = thresholds.in_force(threshold);
            let differs = (limit.value - limit.default).abs() > f64::EPSILON;
            assert_eq!(limit.is_set(), differs, "{}", limit.key);
        }
    }
}

#[test]
fn a_file_builds_on_a_profile_and_sets_over_it() {
    let known = threshold_keys();
    let of = |text: &str| Thresholds::default().with_file("limits.toml", text, &known);
    let strict = Thresholds::of_profile(Profile::Strict, &known).unwrap();
    assert_eq!(of("profile = \"strict\""), Ok(strict.clone()));
    let (key, _) = strict.set.first_key_value().unwrap();
    let (check, name) = key.split_once('.').unwrap();
    let over = of(&format!("profile = \"strict\"\n[{check}]\n{name} = 77")).unwrap();
    let by_file = (77.0, SetBy::File("limits.toml".to_owned()));
    assert_eq!(over.set.get(key), Some(&by_file));
    assert_eq!(over.set.len(), strict.set.len());
}
