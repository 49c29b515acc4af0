//! A file that many threads read by position, without a memory map.

use std::fs::File;
use std::io;
use std::path::Path;

#[derive(Debug)]
pub(super) struct Source {
    file: File,
    len: u64,
}

impl Source {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let len = file.metadata()?.len();
        Ok(Self { file, len })
    }

    /// Length when it was opened, bytes.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Fills the buffer as far as the file goes and returns what is filled.
    pub(super) fn read_at<'b>(&self, at: u64, buffer: &'b mut [u8]) -> io::Result<&'b [u8]> {
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            let Some(position) = at.checked_add(filled as u64) else {
                break;
            };
            match read_some(&self.file, rest, position) {
                Ok(0) => break,
                Ok(n) => filled += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(buffer.get(..filled).unwrap_or_default())
    }

    /// Up to `len` bytes from a position, fewer only at the end of the file.
    pub(super) fn bytes_at(&self, at: u64, len: usize) -> io::Result<Vec<u8>> {
        let left = usize::try_from(self.len.saturating_sub(at)).unwrap_or(usize::MAX);
        let mut buffer = vec![0; len.min(left)];
        let filled = self.read_at(at, &mut buffer)?.len();
        buffer.truncate(filled);
        Ok(buffer)
    }
}

#[cfg(unix)]
fn read_some(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, at)
}

#[cfg(windows)]
fn read_some(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, at)
}
