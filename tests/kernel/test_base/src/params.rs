//! Parameters in the running kernel.

use base::Error;
use base::param::{SetError, Size, Table, set_by_name};
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
use core::time::Duration;
use ktest::{check, check_eq, ktest};

base::param! {
    /// A number that its owner watches.
    static WATCHED as "watched": u32 = 5, range 1..=10, mode 0o644, on_set watch;
    /// A size.
    static BYTES as "bytes": Size = Size(4096), mode 0o600;
    /// A time.
    static TIME as "time": Duration = Duration::from_millis(250);
    /// A text of at most 8 bytes.
    static NAME as "name": Text<8> = "abc";
}

static SEEN: AtomicU32 = AtomicU32::new(0);

fn watch(value: u32) -> base::Result<()> {
    SEEN.store(value, Relaxed);
    if value == 7 { Err(Error::EBUSY) } else { Ok(()) }
}

ktest! {
    fn the_kernels_parameters_are_in_the_table_with_their_words() {
        let table = Table::builtin();
        for (part, name) in [("", "init"), ("", "modules"), ("", "quiet"), ("debug", "panic")] {
            let entry = table.find(part, name).ok_or(name)?;
            check!(!entry.doc().is_empty() && !entry.type_name().is_empty(), "{part}.{name}");
            check!(entry.mode() & !0o777 == 0, "{part}.{name}: mode {:o}", entry.mode());
        }
        check!(table.iter().count() >= 5);
    }

    fn a_value_is_parsed_shown_and_kept_in_its_range() {
        use base::param::ParamOps;
        check_eq!(WATCHED.get(), 5);
        check_eq!(WATCHED.set(Some("9")), Ok(()));
        check_eq!(WATCHED.get(), 9);
        for bad in ["0", "11", "abc", "", "-1", "4294967296", " 5", "5 "] {
            check_eq!(ParamOps::set(&WATCHED, Some(bad)), Err(SetError::Invalid), "{bad:?}");
        }
        check_eq!(ParamOps::set(&WATCHED, None), Err(SetError::NoValue));
        check_eq!(WATCHED.get(), 9);
    }

    fn its_owner_hears_of_a_set_before_it_holds_and_can_refuse() {
        use base::param::ParamOps;
        check_eq!(ParamOps::set(&WATCHED, Some("3")), Ok(()));
        check_eq!((WATCHED.get(), SEEN.load(Relaxed)), (3, 3));
        check_eq!(ParamOps::set(&WATCHED, Some("7")), Err(SetError::Refused(Error::EBUSY)));
        check_eq!((WATCHED.get(), SEEN.load(Relaxed)), (3, 7));
    }

    fn sizes_times_and_texts_read_as_people_write_them() {
        use base::param::ParamOps;
        check_eq!(ParamOps::set(&BYTES, Some("2M")), Ok(()));
        check_eq!(BYTES.get(), Size(2 << 20));
        check_eq!(ParamOps::set(&TIME, Some("3s")), Ok(()));
        check_eq!(TIME.get(), Duration::from_secs(3));
        check_eq!(ParamOps::set(&NAME, Some("12345678")), Ok(()));
        check_eq!(NAME.get().as_str(), "12345678");
        check_eq!(ParamOps::set(&NAME, Some("123456789")), Err(SetError::TooLong));
        check_eq!(NAME.get().as_str(), "12345678");
    }

    fn a_parameter_that_there_is_not_is_unknown() {
        check_eq!(set_by_name("debug", "no_such", Some("1")), Err(SetError::Unknown));
        check_eq!(set_by_name("no_such_part", "panic", Some("1")), Err(SetError::Unknown));
    }
}
