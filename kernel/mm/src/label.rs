//! A short name for a piece of memory, kept by value: `irq 8 rtc`, `module hello text`.

use core::fmt;

/// Up to 31 bytes of text; what does not fit is cut.
#[derive(Clone, Copy)]
pub struct Label {
    length: u8,
    bytes: [u8; 31],
}

impl Label {
    /// The label that `arguments` make: `Label::new(format_args!("irq {line} {name}"))`.
    pub fn new(arguments: fmt::Arguments<'_>) -> Self {
        let mut label = Self { length: 0, bytes: [0; 31] };
        // Writing to a label cannot fail: it cuts.
        let _ = fmt::write(&mut label, arguments);
        label
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..usize::from(self.length)).unwrap_or(&[]);
        match core::str::from_utf8(bytes) {
            Ok(text) => text,
            // A character was cut in half at the end.
            Err(e) => core::str::from_utf8(bytes.get(..e.valid_up_to()).unwrap_or(&[])).unwrap_or(""),
        }
    }
}

impl fmt::Write for Label {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let used = usize::from(self.length);
        let room = self.bytes.get_mut(used..).unwrap_or(&mut []);
        let count = room.len().min(text.len());
        room[..count].copy_from_slice(&text.as_bytes()[..count]);
        self.length += count as u8;
        Ok(())
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
