//! COM1, the console: a 16550 UART.
//!
//! Writing goes through one interrupt-masking lock of rank `CONSOLE`. The panic path takes no lock: it writes to the
//! ports directly, which at worst mixes two lines.

use base::sync::{IrqSpinLock, rank};
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};
use uart_16550::backend::PioBackend;
use uart_16550::spec::registers::IER;
use uart_16550::{BaudRate, Config, Uart16550};

/// The console's first port.
pub const COM1: u16 = 0x3f8;
/// The line to the host's first port.
pub const COM2: u16 = 0x2f8;
/// The line that COM1 raises.
pub const LINE: u8 = 4;

pub(crate) const fn uart(port: u16) -> Uart16550<PioBackend> {
    // SAFETY: both ports are a PC's serial ports; nothing but this layer uses them.
    match unsafe { Uart16550::new_port(port) } {
        Ok(uart) => uart,
        Err(_) => panic!("no such port"),
    }
}

static CONSOLE: IrqSpinLock<Uart16550<PioBackend>> = IrqSpinLock::new(rank::CONSOLE, uart(COM1));
static PRESENT: AtomicBool = AtomicBool::new(false);

/// The console as the log sees it.
pub struct SerialConsole;

impl base::log::Console for SerialConsole {
    fn write(&self, text: &[u8]) {
        if PRESENT.load(Relaxed) {
            CONSOLE.lock().send_bytes_exact(text);
        }
    }

    fn write_emergency(&self, text: &[u8]) {
        if PRESENT.load(Relaxed) {
            uart(COM1).send_bytes_exact(text);
        }
    }
}

/// Sets both ports to 115,200 baud, 8 bits, no parity, and gives the log its console.
pub fn init() {
    let config = || Config { baud_rate: BaudRate::Baud115200, ..Config::DEFAULT };
    if CONSOLE.lock().init(config()).is_ok() {
        PRESENT.store(true, Relaxed);
    }
    crate::control::init(config());
    base::log::add_console(&SerialConsole);
}

/// Lets the console raise its line when it has received something.
pub fn enable_receive_interrupt() {
    CONSOLE.lock().enable_interrupts(IER::DATA_READY);
}

/// Takes what the console has received, up to the length of `buffer`; how many bytes that were.
pub fn receive(buffer: &mut [u8]) -> usize {
    CONSOLE.lock().receive_bytes(buffer)
}
