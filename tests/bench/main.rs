//! `cargo bench`: Ottawa's figures, on the screen and in `target/bench/boot.tsv`.
//!
//! Nothing fails here: bounds that are counts are the suite's (`bound::...`), wall time is for people to read.

use std::fmt::Write;
use std::process::ExitCode;
use std::time::Instant;
use tests::figures;

const MIB: u64 = 1 << 20;
const RUNS: usize = 7;

/// One figure: what, how much, in what unit.
struct Figure(&'static str, f64, &'static str);

fn main() -> ExitCode {
    let figures = match measure() {
        Ok(figures) => figures,
        Err(why) => {
            eprintln!("error: {why}");
            return ExitCode::from(101);
        }
    };
    let mut table = String::from("figure\tvalue\tunit\n");
    for Figure(what, value, unit) in &figures {
        println!("{what:48} {value:>14} {unit}");
        let _ = writeln!(table, "{what}\t{value}\t{unit}");
    }
    // Where the guest's build lies, but for its last part: the target folder.
    let folder = boot::guest_dir().with_file_name("bench");
    let file = folder.join("boot.tsv");
    match std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&file, table)) {
        Ok(()) => {
            println!("written to {}", file.display());
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("error: cannot write {}: {why}", file.display());
            ExitCode::from(101)
        }
    }
}

fn measure() -> Result<Vec<Figure>, String> {
    tests::build::artifacts()?;
    let first_lines: Result<Vec<_>, String> =
        (0..RUNS).map(|_| figures::first_line(&figures::machine())).collect();
    let first_line = figures::median(first_lines?).as_secs_f64();

    let started = Instant::now();
    let at_512 = figures::boot_instructions(512 * MIB, &[])?;
    let whole_run = started.elapsed().as_secs_f64();
    let (at_1g, at_2g) =
        (figures::boot_instructions(1024 * MIB, &[])?, figures::boot_instructions(2048 * MIB, &[])?);
    Ok(vec![
        Figure("QEMU's start to first line, median of 7", (first_line * 1000.0).round() / 1000.0, "s"),
        Figure("a whole run with --icount, 512 MiB", (whole_run * 100.0).round() / 100.0, "s"),
        Figure("first instruction to power-off, 512 MiB", at_512 as f64, "instructions"),
        Figure("first instruction to power-off, 1 GiB", at_1g as f64, "instructions"),
        Figure("first instruction to power-off, 2 GiB", at_2g as f64, "instructions"),
        Figure("for each GiB more", at_2g as f64 - at_1g as f64, "instructions"),
        Figure("loading hello", figures::hello_instructions()? as f64, "instructions"),
        Figure("kernel image without symbols", figures::image_bytes()? as f64, "bytes"),
    ])
}
