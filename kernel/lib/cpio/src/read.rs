//! The reader: an iterator over an archive's records that borrows names and data from its bytes.
//!
//! Each step reads one record and remembers where the next one starts. The first error ends the
//! iteration: after it nothing tells where a record begins.

use crate::header::{self, Header};
use crate::{Device, Error, Kind, Problem, TRAILER};

/// An archive, or several one after another.
#[derive(Debug, Clone, Copy)]
pub struct Archive<'a> {
    bytes: &'a [u8],
}

/// One file, folder, link or device of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Offset of its header in the archive, in bytes.
    pub offset: usize,
    /// The path, without the NULs after it. Any bytes; never empty in an archive that `Writer` made.
    pub name: &'a [u8],
    /// The contents of a file, the target of a symbolic link.
    pub data: &'a [u8],
    /// Type and permissions, as in `stat`.
    pub mode: u32,
    /// The owner.
    pub uid: u32,
    /// The owner's group.
    pub gid: u32,
    /// Number of hard links.
    pub nlink: u32,
    /// Time of last change, in seconds since 1970.
    pub mtime: u32,
    /// Number of the file; hard links of one file share it.
    pub ino: u32,
    /// The device that the file was packed from.
    pub dev: Device,
    /// The device that a device file stands for.
    pub rdev: Device,
    check: Option<u32>,
}

/// The iterator over an archive's records; see [`Archive::entries`].
#[derive(Debug, Clone)]
pub struct Entries<'a> {
    bytes: &'a [u8],
    offset: usize,
    /// Inside an archive: its end mark has not been seen yet.
    inside: bool,
}

impl<'a> Archive<'a> {
    /// Takes the bytes as they are; what is wrong with them comes out while they are read.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// All records in order, without the end marks.
    #[must_use]
    pub fn entries(&self) -> Entries<'a> {
        Entries { bytes: self.bytes, offset: 0, inside: true }
    }

    /// The record named `name`; the last of several, as it would lie over the others. Reads the whole archive.
    ///
    /// # Errors
    ///
    /// If the archive is damaged anywhere.
    pub fn find(&self, name: &str) -> Result<Option<Entry<'a>>, Error> {
        let mut found = None;
        for entry in self.entries() {
            let entry = entry?;
            if entry.name == name.as_bytes() {
                found = Some(entry);
            }
        }
        Ok(found)
    }

    /// The first record named `name`. Reads the archive up to there only.
    ///
    /// # Errors
    ///
    /// If the archive is damaged before that record.
    pub fn find_first(&self, name: &str) -> Result<Option<Entry<'a>>, Error> {
        for entry in self.entries() {
            let entry = entry?;
            if entry.name == name.as_bytes() {
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }
}

impl<'a> IntoIterator for Archive<'a> {
    type Item = Result<Entry<'a>, Error>;
    type IntoIter = Entries<'a>;

    fn into_iter(self) -> Entries<'a> {
        self.entries()
    }
}

impl<'a> Entry<'a> {
    /// The path as text, if it is UTF-8.
    #[must_use]
    pub fn name_str(&self) -> Option<&'a str> {
        core::str::from_utf8(self.name).ok()
    }

    /// What it is; nothing for type bits that nobody knows.
    #[must_use]
    pub fn kind(&self) -> Option<Kind> {
        Kind::of_mode(self.mode)
    }

    /// The nine permission bits and the three above them.
    #[must_use]
    pub fn permissions(&self) -> u32 {
        self.mode & 0o7777
    }

    /// Checks the sum that a `070702` record carries; reads all of the data.
    ///
    /// # Errors
    ///
    /// [`Problem::Checksum`] if it is another.
    pub fn verify(&self) -> Result<(), Error> {
        let sum = |check: &u32| self.data.iter().fold(0u32, |s, b| s.wrapping_add(u32::from(*b))) == *check;
        if self.check.as_ref().is_none_or(sum) {
            Ok(())
        } else {
            Err(Error { offset: self.offset, problem: Problem::Checksum })
        }
    }
}

impl<'a> Entries<'a> {
    /// Skips the zeros between two archives; says whether anything comes after them.
    fn skip_padding(&mut self) -> bool {
        let rest = self.bytes.get(self.offset..).unwrap_or_default();
        let zeros = rest.iter().take_while(|b| **b == 0).count();
        if zeros == rest.len() {
            return false;
        }
        // A record starts at a multiple of four.
        self.offset += zeros & !3;
        true
    }

    /// Reads the record at `self.offset`: the entry, or nothing at an end mark; and where it ends.
    fn record(&self) -> Result<(Option<Entry<'a>>, usize), Problem> {
        let rest = self.bytes.get(self.offset..).unwrap_or_default();
        let fixed = rest.first_chunk::<{ header::SIZE }>().ok_or(Problem::ShortHeader)?;
        let header = Header::parse(fixed)?;

        let name_end = (header.name_size() as usize).checked_add(header::SIZE).ok_or(Problem::Name)?;
        let padded = rest.get(header::SIZE..name_end).ok_or(Problem::Name)?;
        if padded.is_empty() {
            return Err(Problem::Name);
        }
        let name_len = padded.iter().position(|b| *b == 0).ok_or(Problem::NameEnd)?;
        let name = &padded[..name_len];

        let size = header.file_size();
        let short = Problem::ShortData { size };
        let data_start = align4(name_end).ok_or(short)?;
        let data_end = data_start.checked_add(size as usize).ok_or(short)?;
        if name == TRAILER {
            let end = align4(data_end).ok_or(short)?;
            return Ok((None, self.offset.saturating_add(end)));
        }
        let data = match size {
            // The last record's padding may be cut off.
            0 => &[],
            _ => rest.get(data_start..data_end).ok_or(short)?,
        };
        let end = align4(data_end).ok_or(short)?;

        let [ino, mode, uid, gid, nlink, mtime, _, major, minor, rmajor, rminor, _, _] = header.fields;
        let entry = Entry {
            offset: self.offset,
            name,
            data,
            mode,
            uid,
            gid,
            nlink,
            mtime,
            ino,
            dev: Device { major, minor },
            rdev: Device { major: rmajor, minor: rminor },
            check: header.check,
        };
        Ok((Some(entry), self.offset.saturating_add(end)))
    }

    /// Ends the iteration with an error.
    fn fail(&mut self, problem: Problem) -> Option<Result<Entry<'a>, Error>> {
        let offset = core::mem::replace(&mut self.offset, self.bytes.len());
        self.inside = false;
        Some(Err(Error { offset, problem }))
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Result<Entry<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if self.inside && self.offset >= self.bytes.len() {
                self.offset = self.bytes.len();
                return self.fail(Problem::NoTrailer);
            }
            if !self.inside && !self.skip_padding() {
                return None;
            }
            match self.record() {
                Ok((entry, end)) => {
                    self.offset = end;
                    self.inside = entry.is_some();
                    if let Some(entry) = entry {
                        return Some(Ok(entry));
                    }
                }
                Err(problem) => return self.fail(problem),
            }
        }
    }
}

impl core::iter::FusedIterator for Entries<'_> {}

/// The next multiple of four. Headers start at one, so that offsets from a header align like those from
/// the archive's start: 110 + 2 is one.
fn align4(offset: usize) -> Option<usize> {
    Some(offset.checked_add(3)? & !3)
}
