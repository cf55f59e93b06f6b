//! The kernel's ELF file, checked: every address and size that the loader uses afterwards is right.
//!
//! Accepted is a statically linked x86-64 executable in the higher half, as `bootloader_api` describes it:
//! loadable segments in ascending order, none writable and executable, no two in one page, and a section
//! `.bootloader-config`. A section `.kernel-cmdline` is where the command line goes; a kernel without one
//! gets none.

use crate::error::Error;
use crate::map::Range;
use crate::{PAGE, page_down, page_up};
use bootloader_api::BootloaderConfig;
use bootloader_api::info::TlsTemplate;
use elf::ElfBytes;
use elf::abi::{EM_X86_64, ET_DYN, ET_EXEC, PF_W, PF_X, PT_INTERP, PT_LOAD, PT_TLS};
use elf::endian::LittleEndian;
use elf::file::Class;
use elf::section::SectionHeader;
use elf::segment::ProgramHeader;

/// The kernel lies in the top 2 GiB, like the code model says; at least in the higher half.
const HIGHER_HALF: u64 = 0xffff_8000_0000_0000;

/// The largest alignment of a segment that is honoured: a large page.
const MAX_ALIGN: u64 = 2 << 20;

/// A kernel that can be loaded.
#[derive(Debug)]
pub struct Image<'a> {
    file: ElfBytes<'a, LittleEndian>,
    /// All pages from the first segment's to the last one's.
    pub span: Range,
    /// What the physical address must agree with the virtual one in, in bytes.
    pub align: u64,
    /// Where execution starts.
    pub entry: u64,
    /// What the kernel asks for.
    pub config: BootloaderConfig,
    /// Where the command line goes, NUL included.
    pub command_line: Option<Range>,
    /// The template for thread-local data.
    pub tls: Option<TlsTemplate>,
}

/// One loadable segment.
#[derive(Debug, Clone, Copy)]
pub struct Segment<'a> {
    /// All of its pages.
    pub pages: Range,
    /// What comes from the file, at `address`; the rest of the pages is zero.
    pub data: &'a [u8],
    /// Virtual address of `data`.
    pub address: u64,
    /// May be written.
    pub writable: bool,
    /// May be executed.
    pub executable: bool,
}

impl<'a> Image<'a> {
    /// Checks the whole file.
    ///
    /// # Errors
    ///
    /// [`Error::Kernel`] or [`Error::Segment`] with what is wrong.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        let file = ElfBytes::<LittleEndian>::minimal_parse(bytes)
            .map_err(|_| Error::Kernel("is no little-endian ELF file"))?;
        if file.ehdr.class != Class::ELF64 || file.ehdr.e_machine != EM_X86_64 {
            return Err(Error::Kernel("is not for x86-64"));
        }
        match file.ehdr.e_type {
            ET_EXEC => {}
            ET_DYN => return Err(Error::Kernel("is position-independent, not linked at its address")),
            _ => return Err(Error::Kernel("is no executable")),
        }
        let config = section(&file, ".bootloader-config")?
            .ok_or(Error::Kernel("has no section .bootloader-config"))?;
        let (config, _) = file
            .section_data(&config)
            .map_err(|_| Error::Kernel("has a damaged section .bootloader-config"))?;
        let config = BootloaderConfig::deserialize(config)
            .map_err(|_| Error::Kernel("has another bootloader_api in its section .bootloader-config"))?;

        let mut image = Self {
            span: Range::default(),
            align: PAGE,
            entry: file.ehdr.e_entry,
            config,
            command_line: None,
            tls: None,
            file,
        };
        image.check_segments()?;
        if let Some(header) = section(&image.file, ".kernel-cmdline")? {
            let range = Range::new(header.sh_addr, header.sh_size);
            if !image.segments().any(|s| s.writable && within(range, s.pages)) {
                return Err(Error::Kernel("has its section .kernel-cmdline outside of writable data"));
            }
            image.command_line = Some(range);
        }
        Ok(image)
    }

    /// The loadable segments in ascending order.
    pub fn segments(&self) -> impl Iterator<Item = Segment<'a>> + '_ {
        self.headers(PT_LOAD).filter_map(|header| Segment::check(&self.file, &header).ok())
    }

    fn headers(&self, kind: u32) -> impl Iterator<Item = ProgramHeader> + '_ {
        self.file.segments().into_iter().flatten().filter(move |h| h.p_type == kind && h.p_memsz > 0)
    }

    fn check_segments(&mut self) -> Result<(), Error> {
        if self.headers(PT_INTERP).next().is_some() {
            return Err(Error::Kernel("wants a dynamic linker"));
        }
        let (mut span, mut align) = (None, PAGE);
        for header in self.headers(PT_LOAD) {
            let segment = Segment::check(&self.file, &header)?;
            let wrong = |problem| Error::Segment { address: header.p_vaddr, problem };
            let before: Range =
                span.unwrap_or(Range { start: segment.pages.start, end: segment.pages.start });
            if segment.pages.start < before.end {
                return Err(wrong("lies in a page of the one before it"));
            }
            span = Some(Range { start: before.start, end: segment.pages.end });
            align = align.max(header.p_align);
        }
        self.span = span.ok_or(Error::Kernel("has nothing to load"))?;
        self.align = align;
        let entry = Range::new(self.entry, 1);
        if !self.segments().any(|s| s.executable && within(entry, s.pages)) {
            return Err(Error::Kernel("starts outside of its code"));
        }
        let tls = self.headers(PT_TLS).next();
        self.tls = tls.map(|header| TlsTemplate {
            start_addr: header.p_vaddr,
            file_size: header.p_filesz,
            mem_size: header.p_memsz,
        });
        Ok(())
    }
}

impl<'a> Segment<'a> {
    fn check(file: &ElfBytes<'a, LittleEndian>, header: &ProgramHeader) -> Result<Self, Error> {
        let wrong = |problem| Error::Segment { address: header.p_vaddr, problem };
        let data = file.segment_data(header).map_err(|_| wrong("reaches beyond the file"))?;
        // The last page is left out, so that no end is 0.
        let end = header.p_vaddr.checked_add(header.p_memsz).filter(|end| *end <= page_down(u64::MAX));
        let end = end.ok_or(wrong("reaches beyond the address space"))?;
        if header.p_vaddr < HIGHER_HALF {
            return Err(wrong("lies outside of the kernel's half"));
        }
        if header.p_filesz > header.p_memsz {
            return Err(wrong("has more bytes in the file than in memory"));
        }
        if header.p_align > MAX_ALIGN || header.p_align > 1 && !header.p_align.is_power_of_two() {
            return Err(wrong("has an alignment that is not honoured"));
        }
        let (writable, executable) = (header.p_flags & PF_W != 0, header.p_flags & PF_X != 0);
        if writable && executable {
            return Err(wrong("is writable and executable"));
        }
        let pages = Range { start: page_down(header.p_vaddr), end: page_up(end) };
        Ok(Self { pages, data, address: header.p_vaddr, writable, executable })
    }
}

fn section(file: &ElfBytes<'_, LittleEndian>, name: &str) -> Result<Option<SectionHeader>, Error> {
    file.section_header_by_name(name).map_err(|_| Error::Kernel("has a damaged section table"))
}

fn within(inner: Range, outer: Range) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

#[cfg(test)]
mod tests;
