//! Stack frames: found by reading the machine code of every function.
//!
//! A frame is what a function takes off the stack pointer by constants before anything else, plus what it pushes. Frames
//! of a size known only at run time are refused.

use crate::plan::Verdict;
use iced_x86::{Code, Decoder, DecoderOptions, Instruction, Mnemonic, OpKind, Register};
use object::{Object, ObjectSection, ObjectSymbol, SymbolKind};

/// The largest frame that a function may have, in bytes: an eighth of a task's stack.
const LIMIT: u64 = 1024;

/// Functions with larger frames that the kernel does not call, or calls where there is room: the demangled name's
/// beginning, and the reason.
const EXCEPTIONS: &[(&str, &str)] = &[
    ("__rustc::__rust_probestack", "the compiler's own; only frames of more than a page would call it"),
    ("core::num::imp::", "printing of floating-point numbers; the kernel prints none"),
    ("core::num::flt2dec::", "printing of floating-point numbers; the kernel prints none"),
    ("core::num::dec2flt::", "reading of floating-point numbers; the kernel reads none"),
    ("core::fmt::float::", "printing of floating-point numbers; the kernel prints none"),
    ("<f", "printing and reading of floating-point numbers; the kernel has none"),
];

/// No function of the file has a large frame.
pub(crate) fn none_large(name: &str, bytes: &[u8]) -> Verdict {
    let file = object::File::parse(bytes).map_err(|why| why.to_string())?;
    let mut large = Vec::new();
    let mut functions = 0;
    for symbol in file.symbols().filter(|symbol| symbol.kind() == SymbolKind::Text && symbol.size() > 0) {
        let Some(code) = code_of(&file, &symbol) else { continue };
        functions += 1;
        let text = format!("{:#}", rustc_demangle::demangle(symbol.name().unwrap_or_default()));
        let excepted = EXCEPTIONS.iter().any(|(start, _)| text.starts_with(start));
        match frame(code) {
            Frame::Bytes(bytes) if bytes <= LIMIT => {}
            _ if excepted => {}
            Frame::Bytes(bytes) => large.push(format!("{bytes} bytes: {text}")),
            Frame::Dynamic => large.push(format!("a size known only at run time: {text}")),
        }
    }
    large.sort();
    large.dedup();
    match (large.is_empty(), functions) {
        (_, 0) => Err(format!("{name} has no functions to look at")),
        (true, _) => Ok(()),
        (false, _) => {
            Err(format!("{name}: stack frames of more than {LIMIT} bytes:\n  {}", large.join("\n  ")))
        }
    }
}

fn code_of<'a>(file: &object::File<'a>, symbol: &object::Symbol<'a, '_>) -> Option<&'a [u8]> {
    let section = file.section_by_index(symbol.section_index()?).ok()?;
    section.data_range(symbol.address(), symbol.size()).ok()?
}

enum Frame {
    Bytes(u64),
    Dynamic,
}

/// The most that the function takes, judged instruction by instruction.
fn frame(code: &[u8]) -> Frame {
    let mut pushed = 0;
    let mut largest = 0;
    let mut probe = 0;
    for instruction in &mut Decoder::with_ip(64, code, 0, DecoderOptions::NONE) {
        match taken(&instruction) {
            Taken::Pushed if largest == 0 => pushed += 8,
            Taken::Bytes(bytes) => largest = largest.max(bytes),
            // Large frames are touched page by page, down to an address computed first.
            Taken::Probed(bytes) => probe = probe.max(bytes),
            Taken::Dynamic => return Frame::Dynamic,
            Taken::Pushed | Taken::Nothing => {}
        }
    }
    Frame::Bytes(pushed + largest.max(probe))
}

enum Taken {
    Nothing,
    Pushed,
    Bytes(u64),
    Probed(u64),
    Dynamic,
}

fn taken(instruction: &Instruction) -> Taken {
    let to_rsp = instruction.op_count() > 0
        && instruction.op0_kind() == OpKind::Register
        && instruction.op0_register() == Register::RSP;
    let constant = |kind: OpKind| matches!(kind, OpKind::Immediate8to64 | OpKind::Immediate32to64);
    match instruction.mnemonic() {
        Mnemonic::Push => Taken::Pushed,
        Mnemonic::Sub if to_rsp && constant(instruction.op1_kind()) => Taken::Bytes(instruction.immediate(1)),
        Mnemonic::Sub if to_rsp => Taken::Dynamic,
        Mnemonic::Add if to_rsp && constant(instruction.op1_kind()) => {
            let bytes = instruction.immediate(1) as i64;
            if bytes < 0 { Taken::Bytes(bytes.unsigned_abs()) } else { Taken::Nothing }
        }
        Mnemonic::Lea
            if instruction.code() == Code::Lea_r64_m && instruction.memory_base() == Register::RSP =>
        {
            let below = instruction.memory_displacement64() as i64;
            match (below < 0 && instruction.memory_index() == Register::None, to_rsp) {
                (true, true) => Taken::Bytes(below.unsigned_abs()),
                (true, false) => Taken::Probed(below.unsigned_abs()),
                (false, _) => Taken::Nothing,
            }
        }
        _ => Taken::Nothing,
    }
}

/// The search itself.
pub(crate) fn search_finds_them() -> Verdict {
    let cases: [(&str, &[u8], Option<u64>); 5] = [
        (
            "push rbp; mov rbp, rsp; sub rsp, 0x20; ret",
            &[0x55, 0x48, 0x89, 0xe5, 0x48, 0x83, 0xec, 0x20, 0xc3],
            Some(40),
        ),
        ("sub rsp, 0x1000; ret", &[0x48, 0x81, 0xec, 0x00, 0x10, 0x00, 0x00, 0xc3], Some(4096)),
        ("add rsp, -128; ret", &[0x48, 0x83, 0xc4, 0x80, 0xc3], Some(128)),
        (
            "lea r11, [rsp - 0x3000]; ret",
            &[0x4c, 0x8d, 0x9c, 0x24, 0x00, 0xd0, 0xff, 0xff, 0xc3],
            Some(12288),
        ),
        ("sub rsp, rax; ret", &[0x48, 0x29, 0xc4, 0xc3], None),
    ];
    for (text, code, expected) in cases {
        let seen = match frame(code) {
            Frame::Bytes(bytes) => Some(bytes),
            Frame::Dynamic => None,
        };
        if seen != expected {
            return Err(format!("{text}: {seen:?}, not {expected:?}"));
        }
    }
    Ok(())
}
