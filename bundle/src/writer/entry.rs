//! One entry being written: counts and hashes what goes by.

use std::io::{self, Write};

use sha2::{Digest, Sha256};

use super::Target;
use crate::hash::hex;
use crate::manifest::ArtifactRow;

pub(super) struct EntryWriter<'a, T: Target> {
    target: &'a mut T,
    name: &'a str,
    size_bytes: u64,
    sha256: Sha256,
}

impl<'a, T: Target> EntryWriter<'a, T> {
    pub(super) fn new(target: &'a mut T, name: &'a str) -> Self {
        Self {
            target,
            name,
            size_bytes: 0,
            sha256: Sha256::new(),
        }
    }

    pub(super) fn finish(self) -> ArtifactRow {
        ArtifactRow {
            name: self.name.to_owned(),
            size_bytes: self.size_bytes,
            sha256: Some(hex(&self.sha256.finalize())),
        }
    }
}

impl<T: Target> Write for EntryWriter<'_, T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.target.append(bytes)?;
        self.sha256.update(bytes);
        self.size_bytes += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
