//! The log's ring.

use base::log::{self, Level, Record};
use ktest::{check, check_eq, ktest};

ktest! {
    fn a_line_is_kept_with_time_and_level() {
        let number = log::next_number();
        let before = base::clock::now_ns();
        base::warn!("the test's {}", "line");
        let mut record = Record::new();
        check_eq!(log::read(number, &mut record), Some(number));
        check_eq!(text(&record), "the test's line");
        check_eq!(record.level, Level::Warning);
        check!((before..=base::clock::now_ns()).contains(&record.time_ns), "{} ns", record.time_ns);
        check_eq!(log::read(log::next_number(), &mut record), None);
    }

    fn control_characters_cannot_forge_a_line() {
        let number = log::next_number();
        base::info!("one\n[    0.000000] forged\x1b[2J");
        let mut record = Record::new();
        check_eq!(log::read(number, &mut record), Some(number));
        check_eq!(text(&record), "one\\n[    0.000000] forged\\x1b[2J");
        check_eq!(log::next_number(), number + 1);
    }

    fn a_long_line_is_cut_and_says_so() {
        let number = log::next_number();
        base::info!("{:>1000}", "end");
        let mut record = Record::new();
        check_eq!(log::read(number, &mut record), Some(number));
        check!(text(&record).ends_with("..."), "{}", text(&record));
        check!(record.text().len() <= log::TEXT_MAX);
    }

    fn the_oldest_lines_make_room_and_their_numbers_are_missing() {
        let first = log::next_number();
        for i in 0..4000 {
            base::debug!("line {i} of many, which will be overwritten");
        }
        let mut record = Record::new();
        let oldest = log::read(0, &mut record).ok_or("an empty ring")?;
        check!(oldest > first, "{oldest} is still there, {first} was written 4,000 lines before");
        let mut number = oldest;
        while let Some(next) = log::read(number + 1, &mut record) {
            check_eq!(next, number + 1);
            number = next;
        }
        check_eq!(number + 1, log::next_number());
    }
}

fn text(record: &Record) -> &str {
    core::str::from_utf8(record.text()).unwrap_or("not UTF-8")
}
