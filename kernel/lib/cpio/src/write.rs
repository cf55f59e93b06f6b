//! The writer, for the host that packs the bundle.
//!
//! The same calls give the same bytes: numbers of files count up from 1, the packing device is 0, and
//! times are what the caller says.
//!
//! A file that the kernel shall use in place gets its data at the start of a page ([`Place::Page`]): the
//! name takes as many NULs as that needs, counted in its size. [`Writer::finish`] fills the last page, so
//! that nothing else lies in it.

use crate::header::{self, MAGIC};
use crate::{Device, TRAILER};
use std::format;
use std::io::{self, Error, ErrorKind, Write};
use std::string::String;

/// The unit of [`Place::Page`], in bytes.
const PAGE: u64 = 4096;

/// Where a file's data starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Right after its name.
    Anywhere,
    /// At the start of a page of 4,096 bytes, counted from the archive's start.
    Page,
}

/// What the header says of a file besides its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Attributes {
    /// Type and permissions, as in `stat`: 0o100644 is a file.
    pub mode: u32,
    /// The owner.
    pub uid: u32,
    /// The owner's group.
    pub gid: u32,
    /// Time of last change, in seconds since 1970.
    pub mtime: u32,
    /// The device that a device file stands for.
    pub rdev: Device,
}

/// Writes one archive.
#[derive(Debug)]
pub struct Writer<W: Write> {
    out: W,
    offset: u64,
    last_ino: u32,
}

impl<W: Write> Writer<W> {
    /// Starts an archive at `out`'s place.
    pub fn new(out: W) -> Self {
        Self { out, offset: 0, last_ino: 0 }
    }

    /// Adds one file, folder, link or device.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] for an empty name, one with a NUL, one of the end mark, or data of 4 GiB
    /// and more; else what `out` said.
    pub fn add(&mut self, name: &str, attributes: &Attributes, data: &[u8], place: Place) -> io::Result<()> {
        if name.is_empty() || name.as_bytes().contains(&0) || name.as_bytes() == TRAILER {
            return Err(invalid(format!("no name for a file in a cpio archive: {name:?}")));
        }
        self.last_ino += 1;
        self.record(name, attributes, self.last_ino, data, place)
    }

    /// Writes the end mark and fills the page; gives back what was written to.
    ///
    /// # Errors
    ///
    /// What the output said.
    pub fn finish(mut self) -> io::Result<W> {
        let name = String::from_utf8_lossy(TRAILER);
        self.record(&name, &Attributes::default(), 0, &[], Place::Anywhere)?;
        self.pad(PAGE)?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn record(&mut self, name: &str, a: &Attributes, ino: u32, data: &[u8], place: Place) -> io::Result<()> {
        let size = u32::try_from(data.len()).map_err(|_| invalid(format!("{name}: 4 GiB or more")))?;
        let after_name = self.offset + header::SIZE as u64 + name.len() as u64 + 1;
        let nuls = match place {
            Place::Anywhere => 1,
            Place::Page => 1 + after_name.next_multiple_of(PAGE) - after_name,
        };
        let name_size = u32::try_from(name.len() as u64 + nuls)
            .map_err(|_| invalid(format!("a name of {} bytes", name.len())))?;
        let nlink = if a.mode & 0o170_000 == 0o040_000 { 2 } else { 1 };
        let Device { major, minor } = a.rdev;

        self.put(MAGIC)?;
        for number in [ino, a.mode, a.uid, a.gid, nlink, a.mtime, size, 0, 0, major, minor, name_size, 0] {
            self.put(format!("{number:08x}").as_bytes())?;
        }
        self.put(name.as_bytes())?;
        self.zeros(nuls)?;
        self.pad(4)?;
        self.put(data)?;
        self.pad(4)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.offset += bytes.len() as u64;
        self.out.write_all(bytes)
    }

    fn zeros(&mut self, count: u64) -> io::Result<()> {
        self.offset += count;
        io::copy(&mut io::Read::take(io::repeat(0), count), &mut self.out).map(drop)
    }

    fn pad(&mut self, unit: u64) -> io::Result<()> {
        self.zeros(self.offset.next_multiple_of(unit) - self.offset)
    }
}

fn invalid(what: String) -> Error {
    Error::new(ErrorKind::InvalidInput, what)
}
