//! Each fault is caught, within so many schedules, by a message that names it.

use super::fault::Fault::{self, *};
use super::run;

/// Runs schedules from seed 0 on until `fault` is noticed; fails unless that is within `bound` of
/// them, and in words that contain one of `names`.
fn is_caught(fault: Fault, bound: u64, names: &[&str]) {
    let mut happened = 0;
    for seed in 0..bound {
        let (sprung, result) = run::with_fault(seed, fault);
        happened += u64::from(sprung);
        let Err(words) = result else { continue };
        let told = names.iter().any(|name| words.contains(name));
        assert!(told, "{fault:?} at seed {seed} is caught by other words: {words}");
        println!("{fault:?}: caught at seed {seed}, happened {happened} times: {words}");
        return;
    }
    panic!("{fault:?} was not caught in {bound} schedules, in which it happened {happened} times");
}

macro_rules! caught {
    ($($test:ident: $fault:ident within $bound:literal, $($name:literal)|+;)*) => {$(
        #[test]
        fn $test() {
            is_caught($fault, $bound, &[$($name),+]);
        }
    )*};
}

// Bounds are four times what was measured when they were set, or more: schedules change with the
// code that runs in them.
caught! {
    a_dropped_byte_is_caught: DropByte within 20, "a gap of 1 bytes" | "at another place";
    a_changed_byte_is_caught: ChangeByte within 400, "shows another screen";
    a_frame_that_comes_twice_is_caught: DuplicateFrame within 20, "a duplicate of";
    frames_in_the_wrong_order_are_caught: SwapFrames within 20, "a gap of";
    a_lost_ack_is_caught: LoseAck within 20, "was never answered";
    a_lost_answer_is_caught: LoseAnswer within 20, "an attach acked without replay or snapshot";
    a_lost_recovery_is_caught: LoseRecovery within 60,
        "output between session.lagged and its snapshot" | "no snapshot after session.lagged";
    exceeded_credit_is_caught: ExceedCredit within 500, "beyond credit";
    a_seq_that_goes_back_is_caught: ForgetBound within 40, "seq went back";
    a_byte_lost_on_the_way_from_tmux_is_caught: LoseTmuxByte within 200, "shows another screen";
    a_window_that_stays_closed_is_caught: StopAcks within 400, "shows another screen";
    messages_swapped_for_a_page_are_caught: SwapForPage within 40,
        "a page sees a gap or a duplicate" | "at another place" | "seq went back" | "somewhere else";
    a_message_lost_for_a_page_is_caught: LoseForPage within 40,
        "a page sees a gap or a duplicate" | "shows another screen" | "somewhere else";
}
