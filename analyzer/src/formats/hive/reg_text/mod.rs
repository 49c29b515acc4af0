//! Registry texts: `.reg` files of regedit 5 and 4, and the files of Wine.

mod escapes;
mod grammar;
mod tree;

use std::sync::Arc;

use encoding_rs::{Encoding, UTF_8, UTF_16LE};
use jiff::Timestamp;

use self::grammar::{Dialect, Statement};
use self::tree::Tree;
use crate::formats::registry::{Quality, RegistryError, Value, ValueKind, escape_value, filetime};

pub use tree::TextView;

/// The deepest key that Windows allows.
const DEPTH: usize = 512;
/// How many unreadable lines are kept, of those that are counted.
const KEPT_LINES: usize = 1_000;

/// The dialects of registry texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextFormat {
    /// `Windows Registry Editor Version 5.00`
    Regedit5,
    /// `REGEDIT4`, in the code page of the machine that wrote it.
    Regedit4,
    /// `WINE REGISTRY Version 2`
    Wine,
}

/// A registry text, read.
///
/// Its keys stand below `HKEY_LOCAL_MACHINE` and the like; what Wine writes relative to a key
/// stands below that key.
#[derive(Debug)]
pub struct RegText {
    format: TextFormat,
    tree: Arc<Tree>,
    quality: Vec<Quality>,
    unreadable_lines: usize,
    deletions: Vec<Deletion>,
}

/// Something that the text says to delete. It is not applied: the view shows what the text adds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deletion {
    /// The line, from 1.
    pub line: u64,
    /// The key, with its root.
    pub key: String,
    /// The value, where it is not the whole key.
    pub value: Option<String>,
}

impl RegText {
    /// Reads a text. `code_page` is that of `REGEDIT4` files; the others say theirs themselves.
    ///
    /// Lines that cannot be read are counted, and are damage in the quality of every view.
    ///
    /// # Errors
    /// When the first line is none that a registry text begins with.
    pub fn parse(bytes: &[u8], code_page: &'static Encoding) -> Result<Self, RegistryError> {
        let (format, encoding) = recognise(bytes, code_page).ok_or_else(|| {
            let start = String::from_utf8_lossy(bytes.get(..40).unwrap_or(bytes)).into_owned();
            RegistryError::new(1, "registry text", "the first line of one", start)
        })?;
        let (text, _, _) = encoding.decode(bytes);
        let mut reader = Reader::new(Dialect { format, code_page });
        reader.read(next_line(&text));
        Ok(reader.finish(format))
    }

    /// The dialect of the text.
    pub fn format(&self) -> TextFormat {
        self.format
    }

    /// The view from the key at `root` (`""`: all there is), if it is in the text.
    pub fn view(&self, root: &str) -> Option<TextView> {
        let (root, _) = self.tree.find(0, root)?;
        Some(TextView {
            tree: Arc::clone(&self.tree),
            root,
            quality: self.quality.clone(),
        })
    }

    /// The view of a hive of the machine: `SYSTEM`, `SOFTWARE`.
    pub fn hive(&self, name: &str) -> Option<TextView> {
        self.view(&format!("HKEY_LOCAL_MACHINE\\{name}"))
    }

    /// What the text says to delete, in its order.
    pub fn deletions(&self) -> &[Deletion] {
        &self.deletions
    }

    /// How many lines could not be read.
    pub fn unreadable_lines(&self) -> usize {
        self.unreadable_lines
    }
}

/// The dialect that the first line names, and the encoding of the bytes.
fn recognise(
    bytes: &[u8],
    code_page: &'static Encoding,
) -> Option<(TextFormat, &'static Encoding)> {
    let wide = bytes.starts_with(&[0xFF, 0xFE]) || bytes.get(1) == Some(&0);
    let encoding = if wide { UTF_16LE } else { UTF_8 };
    let start = bytes.get(..128).unwrap_or(bytes);
    let (start, _, _) = encoding.decode(start);
    let first = start.lines().next()?.trim();
    match first {
        "Windows Registry Editor Version 5.00" => Some((TextFormat::Regedit5, encoding)),
        "REGEDIT4" if wide => Some((TextFormat::Regedit4, encoding)),
        "REGEDIT4" => Some((TextFormat::Regedit4, code_page)),
        "WINE REGISTRY Version 2" => Some((TextFormat::Wine, encoding)),
        _ => None,
    }
}

/// Builds the tree from the statements.
struct Reader {
    dialect: Dialect,
    tree: Tree,
    /// The key that the paths of a Wine file are relative to.
    base: String,
    /// The key that values belong to; none before the first, and after one that is deleted.
    current: Option<(usize, String)>,
    quality: Vec<Quality>,
    unreadable_lines: usize,
    deletions: Vec<Deletion>,
    line: u64,
}

impl Reader {
    fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            tree: Tree::new(),
            base: String::new(),
            current: None,
            quality: Vec::new(),
            unreadable_lines: 0,
            deletions: Vec::new(),
            line: 2,
        }
    }

    /// Reads all lines behind the first.
    fn read(&mut self, text: &str) {
        let mut rest = text;
        while !rest.is_empty() {
            let next = if let Ok((next, statement)) = self.dialect.statement(rest) {
                if let Err(expected) = self.apply(statement) {
                    self.unreadable(rest, expected);
                }
                next
            } else {
                self.unreadable(rest, "a key, a value or a comment");
                next_line(rest)
            };
            let consumed = rest.len() - next.len();
            self.line += line_ends(rest.get(..consumed).unwrap_or_default());
            rest = next;
        }
    }

    fn apply(&mut self, statement: Statement) -> Result<(), &'static str> {
        const KEY: &str = "a key above";
        match statement {
            Statement::Nothing => (),
            Statement::Base(path) => self.base = wine_base(&path),
            Statement::Key { path, seconds } => self.open(&path, seconds)?,
            Statement::DeleteKey(key) => {
                self.current = None;
                self.delete(key, None);
            }
            Statement::Value { name, data } => {
                let (place, _) = self.current.as_ref().ok_or(KEY)?;
                let value = Value {
                    name: escape_value(name.encode_utf16()),
                    kind: ValueKind::from_number(data.kind),
                    data: data.bytes,
                };
                self.tree.set(*place, value);
            }
            Statement::DeleteValue(name) => {
                let (_, key) = self.current.clone().ok_or(KEY)?;
                self.delete(key, Some(escape_value(name.encode_utf16())));
            }
            Statement::Time(ticks) => {
                let (place, _) = self.current.as_ref().ok_or(KEY)?;
                self.tree.set_time(*place, filetime(ticks));
            }
            Statement::Class(class) => {
                let (place, _) = self.current.as_ref().ok_or(KEY)?;
                self.tree.set_class(*place, class);
            }
        }
        Ok(())
    }

    fn open(&mut self, path: &str, seconds: Option<i64>) -> Result<(), &'static str> {
        self.current = None;
        let path = if self.base.is_empty() {
            long_root(path)
        } else {
            format!("{}\\{path}", self.base)
        };
        if path.split('\\').count() > DEPTH {
            return Err("a key at most 512 levels deep");
        }
        let place = self.tree.make(&path);
        let time = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
        if time.is_some() {
            self.tree.set_time(place, time);
        }
        self.current = Some((place, path.trim_start_matches('\\').to_owned()));
        Ok(())
    }

    fn delete(&mut self, key: String, value: Option<String>) {
        let line = self.line;
        self.deletions.push(Deletion { line, key, value });
    }

    fn unreadable(&mut self, rest: &str, expected: &'static str) {
        self.unreadable_lines += 1;
        if self.unreadable_lines <= KEPT_LINES {
            let line = rest.lines().next().unwrap_or_default();
            let start: String = line.chars().take(80).collect();
            let error = RegistryError::new(self.line, "line", expected, start);
            self.quality.push(Quality::Damage(error));
        }
    }

    fn finish(self, format: TextFormat) -> RegText {
        RegText {
            format,
            tree: Arc::new(self.tree),
            quality: self.quality,
            unreadable_lines: self.unreadable_lines,
            deletions: self.deletions,
        }
    }
}

/// What follows the end of the first line.
fn next_line(text: &str) -> &str {
    let end = text.find(['\r', '\n']).unwrap_or(text.len());
    let rest = text.get(end..).unwrap_or_default();
    let rest = rest.strip_prefix("\r\n").or_else(|| rest.get(1..));
    rest.unwrap_or_default()
}

/// How many lines end in `text`.
fn line_ends(text: &str) -> u64 {
    let pairs = text.matches("\r\n").count();
    (text.matches(['\r', '\n']).count() - pairs) as u64
}

/// Where the keys of a Wine file stand: the kernel's name for a root, written as regedit does.
fn wine_base(path: &str) -> String {
    let path = path.trim_start_matches('\\');
    let path = path.strip_prefix("REGISTRY\\").unwrap_or(path);
    let (root, below) = path.split_once('\\').unwrap_or((path, ""));
    let root = match root.to_ascii_lowercase().as_str() {
        "machine" => "HKEY_LOCAL_MACHINE",
        "user" => "HKEY_USERS",
        _ => root,
    };
    format!("{root}\\{below}")
}

/// A path with the long name of its root, where it has a short one.
fn long_root(path: &str) -> String {
    let (root, below) = path.split_once('\\').unwrap_or((path, ""));
    let root = match root.to_ascii_uppercase().as_str() {
        "HKLM" => "HKEY_LOCAL_MACHINE",
        "HKU" => "HKEY_USERS",
        "HKCU" => "HKEY_CURRENT_USER",
        "HKCR" => "HKEY_CLASSES_ROOT",
        "HKCC" => "HKEY_CURRENT_CONFIG",
        _ => root,
    };
    format!("{root}\\{below}")
}

#[cfg(test)]
mod tests;
