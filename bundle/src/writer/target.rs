//! Where a bundle is written: a zip or a folder.

use std::fs::{self, File};
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};

use zip::write::{PreparedZipFile, SimpleFileOptions};
use zip::{CompressionMethod, DateTime, System, ZipWriter};

/// From here on an entry gets 64-bit sizes. Below 4 GiB by more than deflate can add.
const LARGE_BYTES: u64 = 0xF000_0000;

/// Takes entries one after another.
pub trait Target {
    /// What is handed back at the end.
    type Output;

    /// Starts an entry. `expected_bytes` is its size if that is known; without it the entry gets
    /// room for 64-bit sizes.
    ///
    /// # Errors
    /// If the target cannot be written.
    fn start(&mut self, name: &str, expected_bytes: Option<u64>) -> io::Result<()>;

    /// Appends to the entry that was started last.
    ///
    /// # Errors
    /// If the target cannot be written.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Writes an entry at hand. It is complete when this returns, whatever becomes of the rest:
    /// an entry that is appended to is so only when the next one starts.
    ///
    /// # Errors
    /// If the target cannot be written.
    fn whole(&mut self, name: &str, bytes: &[u8]) -> io::Result<()>;

    /// Completes the last entry and the whole.
    ///
    /// # Errors
    /// If the target cannot be written.
    fn close(self) -> io::Result<Self::Output>;
}

/// How the entries of a zip are packed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Compression {
    /// As it is.
    Stored,
    /// Deflate, which everything reads.
    #[default]
    Deflate,
    /// Zstandard.
    #[cfg(feature = "zstd")]
    Zstd,
}

/// A zip, written as a stream: an entry's sizes are put into its header when it is complete.
pub struct ZipTarget<W: Write + Seek> {
    zip: ZipWriter<W>,
    options: SimpleFileOptions,
}

impl<W: Write + Seek> ZipTarget<W> {
    /// A zip whose entries all carry the same fixed time (1 January 1980), so that the same input
    /// gives the same bytes. The true times are in the manifest.
    pub fn new(inner: W, compression: Compression) -> Self {
        let method = match compression {
            Compression::Stored => CompressionMethod::Stored,
            Compression::Deflate => CompressionMethod::Deflated,
            #[cfg(feature = "zstd")]
            Compression::Zstd => CompressionMethod::Zstd,
        };
        let options = SimpleFileOptions::default()
            .compression_method(method)
            .last_modified_time(DateTime::DEFAULT)
            .system(System::Unix)
            .unix_permissions(0o644);
        Self {
            zip: ZipWriter::new(inner),
            options,
        }
    }

    /// Takes out the last entry, complete or not.
    pub(super) fn take_back(&mut self) -> io::Result<()> {
        Ok(self.zip.abort_file()?)
    }
}

impl<W: Write + Seek> Target for ZipTarget<W> {
    type Output = W;

    fn start(&mut self, name: &str, expected_bytes: Option<u64>) -> io::Result<()> {
        let large = expected_bytes.is_none_or(|bytes| bytes >= LARGE_BYTES);
        let options = self.options.large_file(large);
        self.zip.start_file(name, options).map_err(io::Error::from)
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.zip.write_all(bytes)
    }

    fn whole(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let packed = PreparedZipFile::from_data(name, self.options, bytes)?;
        Ok(self.zip.add_prepared_file(packed)?)
    }

    fn close(self) -> io::Result<W> {
        self.zip.finish().map_err(io::Error::from)
    }
}

/// The same layout as a folder.
pub struct FolderTarget {
    root: PathBuf,
    open: Option<File>,
}

impl FolderTarget {
    /// A new folder, or one that is empty.
    ///
    /// # Errors
    /// If it cannot be made, or holds something.
    pub fn new(root: &Path) -> io::Result<Self> {
        fs::create_dir_all(root)?;
        if fs::read_dir(root)?.next().is_some() {
            return Err(io::Error::new(
                io::ErrorKind::DirectoryNotEmpty,
                "the folder for a bundle is not empty",
            ));
        }
        Ok(Self {
            root: root.to_path_buf(),
            open: None,
        })
    }
}

impl Target for FolderTarget {
    type Output = PathBuf;

    fn start(&mut self, name: &str, _expected_bytes: Option<u64>) -> io::Result<()> {
        let path = self.root.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        self.open = Some(File::create_new(path)?);
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.open {
            Some(file) => file.write_all(bytes),
            None => Err(io::Error::other("no entry was started")),
        }
    }

    fn whole(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.start(name, None)?;
        self.append(bytes)
    }

    fn close(self) -> io::Result<PathBuf> {
        Ok(self.root)
    }
}
