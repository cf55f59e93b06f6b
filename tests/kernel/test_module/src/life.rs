//! Modules come and go.

use crate::held;
use base::Error;
use containers::Arc;
use ktest::{check, check_eq, ktest, long, note};
use module::{Cause, State, UnloadError};

ktest! {
    fn two_hundred_loads_and_removals_leave_nothing_behind() {
        let image = module::image("test_flaky").ok_or("no test_flaky")?;
        cycle(image)?;
        let before = held();
        let times = if long() { 100_000 } else { 200 };
        for i in 0..times {
            cycle(image)?;
            check_eq!(held(), before, "after {i} loads");
        }
        note(format_args!("{times} times, {before:?}"));
    }

    fn a_module_is_live_under_its_name_until_it_is_removed() {
        let image = module::image("test_flaky").ok_or("no test_flaky")?;
        check!(module::find("test_flaky").is_none());
        let loaded = module::load("test_flaky", image, "")?;
        check_eq!(loaded.state(), State::Live);
        check_eq!(loaded.name(), "test_flaky");
        check!(loaded.size() > 0);
        let found = module::find("test-flaky").ok_or("not found with a dash")?;
        check!(Arc::ptr_eq(&loaded, &found));
        let mut listed = 0;
        module::for_each(|module| listed += usize::from(module.name() == "test_flaky"));
        check_eq!(listed, 1);
        drop((loaded, found));
        module::unload("test-flaky")?;
        check!(module::find("test_flaky").is_none());
    }

    fn a_module_that_is_there_is_not_loaded_a_second_time() {
        let image = module::image("test_flaky").ok_or("no test_flaky")?;
        module::load("test_flaky", image, "")?;
        let before = held();
        let again = module::load("test_flaky", image, "").map(drop);
        check!(matches!(&again, Err(error) if error.errno() == Error::EEXIST));
        let by_name = module::load_by_name("test_flaky").map(drop);
        check!(matches!(&by_name, Err(error) if error.errno() == Error::EEXIST));
        check_eq!(held(), before);
        module::unload("test_flaky")?;
    }

    fn what_a_module_needs_is_loaded_first_and_stays_while_it_is_needed() {
        let consumer = module::load_by_name("consumer")?;
        let producer = module::find("producer").ok_or("producer is not there")?;
        check_eq!(producer.state(), State::Live);
        check!(consumer.holds().any(|held| held.name() == "producer"));
        let refused = module::unload("producer");
        check!(matches!(&refused, Err(UnloadError::Held { by }) if by.name() == "consumer"));
        drop(refused);
        drop((consumer, producer));
        module::unload("consumer")?;
        module::unload("producer")?;
        check!(matches!(module::unload("producer"), Err(UnloadError::NotLoaded)));
    }

    fn a_module_whose_init_fails_is_gone_with_all_it_had() {
        let image = module::image("test_flaky").ok_or("no test_flaky")?;
        cycle(image)?;
        let before = held();
        for _ in 0..20 {
            let failed = module::load("test_flaky", image, "fail=1").map(drop);
            check!(matches!(&failed, Err(error) if error.errno() == Error::EIO));
            drop(failed);
            check!(module::find("test_flaky").is_none());
            check_eq!(held(), before);
        }
        cycle(image)?;
    }

    fn a_bad_parameter_at_insertion_is_einval_and_nothing_loads() {
        let image = module::image("hello").ok_or("no hello")?;
        module::load("hello", image, "")?;
        module::unload("hello")?;
        let before = held();
        for words in ["count=abc", "count=0", "count=101", "count=", "count", "nosuch=1", "who=ok count=-1"] {
            let refused = module::load("hello", image, words).map(drop);
            check!(matches!(&refused, Err(error) if error.errno() == Error::EINVAL), "hello {words}");
            check!(module::find("hello").is_none());
            check_eq!(held(), before, "after {words}");
        }
    }

    fn an_unknown_module_is_enoent_and_the_known_ones_are_named() {
        let refused = module::load_by_name("no_such_module").map(drop);
        check!(matches!(&refused, Err(error) if error.errno() == Error::ENOENT && matches!(error.cause, Cause::Unknown)));
        if let Err(error) = refused {
            let text = containers::try_format!("{error}")?;
            check!(text.as_str().contains("no_such_module") && text.as_str().contains("hello"), "{text}");
        }
    }

    fn every_module_of_the_initramfs_links() {
        for name in ["hello", "producer", "test_flaky", "test_init", "test_module"] {
            let image = module::image(name).ok_or(name)?;
            let before = held();
            module::link_only(name, image)?;
            check!(held().frames <= before.frames + 4, "{name}: {before:?}, then {:?}", held());
        }
    }
}

fn cycle(image: &'static [u8]) -> ktest::Result {
    module::load("test_flaky", image, "")?;
    module::unload("test_flaky")?;
    Ok(())
}
