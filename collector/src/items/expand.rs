//! Variables in paths, such as `%SystemRoot%`.

use std::path::{Path, PathBuf};

/// Puts in the variables that are known; others stay as they stand. Says as well whether all of
/// them were known.
pub(super) fn expand(text: &str, value: &dyn Fn(&str) -> Option<String>) -> (String, bool) {
    let mut expanded = String::with_capacity(text.len());
    let (mut rest, mut all) = (text, true);
    while let Some((before, after)) = rest.split_once('%') {
        expanded.push_str(before);
        let Some((name, behind)) = after.split_once('%') else {
            // A single sign is no variable.
            expanded.push('%');
            rest = after;
            continue;
        };
        if let Some(value) = value(name) {
            expanded.push_str(&value);
            rest = behind;
        } else {
            all = false;
            expanded.push('%');
            expanded.push_str(name);
            // The sign may start the next name as well.
            rest = after.get(name.len()..).unwrap_or_default();
            if name.is_empty() {
                expanded.push('%');
                rest = behind;
            }
        }
    }
    expanded.push_str(rest);
    (expanded, all)
}

/// A path of the machine in which the folder of Windows is the only variable; `None` where there
/// are others.
pub(super) fn whole(text: &str, root: &Path) -> Option<PathBuf> {
    let names = ["SystemRoot", "windir"];
    let value = |name: &str| {
        let known = names.iter().any(|one| one.eq_ignore_ascii_case(name));
        known.then(|| root.to_string_lossy().into_owned())
    };
    match expand(text, &value) {
        (path, true) => Some(path.into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_put_in_and_the_rest_stays() {
        let value = |name: &str| match name {
            "SystemRoot" => Some("C:\\Windows".to_owned()),
            "empty" => Some(String::new()),
            _ => None,
        };
        for (text, expanded, all) in [
            ("C:\\a", "C:\\a", true),
            ("%SystemRoot%\\system32", "C:\\Windows\\system32", true),
            ("%empty%a%SystemRoot%", "aC:\\Windows", true),
            ("100%", "100%", true),
            ("%other%\\a", "%other%\\a", false),
            ("%a%SystemRoot%b", "%aC:\\Windowsb", false),
            ("%%", "%%", false),
            ("", "", true),
        ] {
            assert_eq!(expand(text, &value), (expanded.to_owned(), all), "{text}");
        }
    }

    #[test]
    fn a_path_of_windows_lies_below_its_folder() {
        let root = Path::new("D:\\Win");
        let path = whole("%systemroot%\\MEMORY.DMP", root);
        assert_eq!(path, Some("D:\\Win\\MEMORY.DMP".into()));
        assert_eq!(whole("E:\\dump", root), Some("E:\\dump".into()));
        assert_eq!(whole("%USERPROFILE%\\dump", root), None);
    }
}
