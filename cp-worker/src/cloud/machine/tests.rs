//! Every state and every event, and the ways that people go.

use super::*;

const NOW: u64 = 10_000_000;

fn view(id: u64, power: Power) -> Answer {
    Answer::Shown(View { id, power, ip_address: Some("203.0.113.7".into()) })
}

/// A droplet in a status, a while after it was made.
fn in_status(status: Status) -> Droplet {
    let mut droplet = Droplet::new(NOW - SETTLE_MS);
    droplet.made_at = Some(NOW - SETTLE_MS);
    droplet.droplet_id = Some(7);
    droplet.status = status;
    droplet.deadline = match status {
        Status::Provisioning | Status::PoweringOff | Status::PoweringOn => Some(NOW + 1_000),
        _ => None,
    };
    if status == Status::Failed {
        droplet.failure = Some(Failure::new("timed_out", "late"));
        droplet.next_look_at = None;
    }
    droplet
}

/// Brings one up: made, seen, greeted.
fn active() -> Droplet {
    let mut droplet = Droplet::new(NOW);
    assert_eq!(droplet.plan(false, NOW), Step::Ask(Call::Create));
    assert_eq!(droplet.took(Call::Create, view(7, Power::New), NOW), Step::Rest);
    droplet.greeted(NOW);
    assert_eq!((droplet.status, droplet.droplet_id), (Status::Active, Some(7)));
    droplet
}

#[test]
fn every_answer_in_every_state_keeps_the_rules() {
    let calls = [
        Call::Create,
        Call::Find,
        Call::Get(7),
        Call::Get(8),
        Call::Delete(7),
        Call::Delete(8),
        Call::Act(7, Action::Shutdown),
        Call::Act(7, Action::PowerOff),
        Call::Act(8, Action::PowerOn),
    ];
    let answers = [
        view(7, Power::New),
        view(7, Power::Active),
        view(7, Power::Off),
        view(8, Power::Other),
        Answer::Nothing,
        Answer::Done,
        Answer::Missing,
        Answer::Refused("no".into()),
        Answer::Throttled(u64::MAX),
        Answer::Lost,
        Answer::NoAccess,
    ];
    let mut cases = 0;
    for status in Status::ALL {
        for (id, made) in [(None, None), (None, Some(NOW)), (Some(7), Some(0)), (Some(7), None)] {
            for (call, answer) in calls.iter().flat_map(|c| answers.iter().map(move |a| (*c, a))) {
                let mut droplet = in_status(status);
                (droplet.droplet_id, droplet.made_at) = (id, made);
                let before = droplet.clone();
                let step = droplet.took(call, answer.clone(), NOW);
                check(&before, &droplet, step, &format!("{before:?} {call:?} {answer:?}"));
                cases += 1;
            }
        }
    }
    assert_eq!(cases, 7 * 4 * 9 * 11);
}

fn check(before: &Droplet, after: &Droplet, step: Step, what: &str) {
    let destroying = before.status == Status::Destroying;
    // Nothing is deleted, and nothing vanishes, unless a person said so.
    let fatal = matches!(step, Step::Ask(Call::Delete(_)) | Step::Remove);
    assert!(!fatal || destroying, "{what}");
    assert!(after.status != Status::Destroying || destroying, "{what}");
    assert!(after.status == Status::Destroying || !destroying || before.remake, "{what}");
    // It is asked for only when it is written down that it is, and when none is known.
    if step == Step::Ask(Call::Create) {
        assert_eq!((after.status, after.droplet_id), (Status::Provisioning, None), "{what}");
        assert_eq!(after.made_at, Some(NOW), "{what}");
    }
    if step == Step::Remove {
        assert!(after.droplet_id.is_none() && !after.remake, "{what}");
    }
    // Whoever has failed says why and rests; all others are looked at again, in time.
    assert_eq!(after.next_look_at.is_none(), after.status == Status::Failed, "{what}");
    assert!(after.status != Status::Failed || after.failure.is_some(), "{what}");
    if let (Some(look), Some(deadline), Step::Rest) = (after.next_look_at, after.deadline, step) {
        assert!(look <= deadline, "{what}");
    }
    let pending = [Status::Provisioning, Status::PoweringOff, Status::PoweringOn];
    assert_eq!(after.deadline.is_some(), pending.contains(&after.status), "{what}");
}

#[test]
fn every_wish_in_every_state() {
    use Status::*;
    for status in Status::ALL {
        let wish = |wish: fn(&mut Droplet) -> Result<(), WrongState>| {
            let mut droplet = in_status(status);
            wish(&mut droplet).map(|()| (droplet.status, droplet.remake))
        };
        let on = match status {
            Provisioning | Failed | Destroying => Err(WrongState),
            Active => Ok((Active, false)),
            _ => Ok((PoweringOn, false)),
        };
        assert_eq!(wish(|d| d.power(true, NOW)), on, "{status:?}");
        let off = match status {
            Provisioning | Failed | Destroying => Err(WrongState),
            Off => Ok((Off, false)),
            _ => Ok((PoweringOff, false)),
        };
        assert_eq!(wish(|d| d.power(false, NOW)), off, "{status:?}");
        let retry = match status {
            Provisioning => Ok((Provisioning, false)),
            Failed => Ok((Destroying, true)),
            _ => Err(WrongState),
        };
        assert_eq!(wish(|d| d.retry(NOW)), retry, "{status:?}");
        let destroyed = |d: &mut Droplet| {
            d.destroy(NOW);
            Ok(())
        };
        assert_eq!(wish(destroyed), Ok((Destroying, false)), "{status:?}");
        let greeted = |d: &mut Droplet| {
            d.greeted(NOW);
            Ok(())
        };
        let alive = match status {
            Destroying | PoweringOff => status,
            _ => Active,
        };
        assert_eq!(wish(greeted), Ok((alive, false)), "{status:?}");
    }
    // A second click changes nothing, and destroying wins over making anew.
    let mut droplet = in_status(Failed);
    droplet.retry(NOW).unwrap();
    let once = droplet.clone();
    droplet.retry(NOW + 1).unwrap();
    assert_eq!(droplet, once);
    droplet.destroy(NOW + 2);
    assert_eq!((droplet.status, droplet.remake), (Destroying, false));
}

#[test]
fn a_lost_answer_never_makes_a_second_one() {
    let mut droplet = Droplet::new(NOW);
    assert_eq!(droplet.plan(false, NOW), Step::Ask(Call::Create));
    assert_eq!(droplet.took(Call::Create, Answer::Lost, NOW), Step::Rest);
    // Not listed yet: that says nothing.
    let soon = droplet.next_look_at.unwrap();
    assert_eq!(droplet.plan(false, soon), Step::Ask(Call::Find));
    assert_eq!(droplet.took(Call::Find, Answer::Nothing, soon), Step::Rest);
    let mut made = droplet.clone();
    made.took(Call::Find, view(7, Power::New), soon);
    assert_eq!(made.droplet_id, Some(7));
    // After a while it says that there is none.
    let settled = NOW + SETTLE_MS;
    assert_eq!(droplet.plan(false, settled), Step::Ask(Call::Find));
    assert_eq!(droplet.took(Call::Find, Answer::Nothing, settled), Step::Ask(Call::Create));
    assert_eq!(droplet.made_at, Some(settled));
}

#[test]
fn too_many_requests_surely_made_nothing() {
    let mut droplet = Droplet::new(NOW);
    droplet.plan(false, NOW);
    droplet.took(Call::Create, Answer::Throttled(60_000), NOW);
    assert_eq!((droplet.made_at, droplet.next_look_at), (None, Some(NOW + 60_000)));
    assert_eq!(droplet.plan(false, NOW + 60_000), Step::Ask(Call::Create));
    // What is refused is said in DigitalOcean's words, and costs nothing.
    droplet.took(Call::Create, Answer::Refused("over your limit".into()), NOW);
    let failure = droplet.failure.clone().unwrap();
    assert_eq!((failure.code.as_str(), failure.message.as_str()), ("refused", "over your limit"));
    droplet.destroy(NOW);
    assert_eq!(droplet.plan(false, NOW), Step::Remove);
}

#[test]
fn without_hello_it_times_out_and_a_late_hello_is_welcome() {
    let mut droplet = Droplet::new(NOW);
    droplet.plan(false, NOW);
    droplet.took(Call::Create, view(7, Power::New), NOW);
    let end = NOW + PROVISIONING_MS;
    assert_eq!(droplet.plan(false, end - 1), Step::Ask(Call::Get(7)));
    droplet.took(Call::Get(7), view(7, Power::Active), end - 1);
    assert_eq!(droplet.next_look_at, Some(end));
    assert_eq!(droplet.plan(false, end), Step::Rest);
    assert_eq!(droplet.failure.as_ref().unwrap().code, "timed_out");
    let mut in_time = in_status(Status::Provisioning);
    in_time.plan(true, NOW + 1_000);
    assert_eq!(in_time.status, Status::Active);
    droplet.greeted(end + 1);
    assert_eq!((droplet.status, droplet.failure), (Status::Active, None));
}

#[test]
fn a_new_droplet_may_be_unknown_for_a_moment_and_an_old_one_is_gone() {
    let mut young = Droplet::new(NOW);
    young.plan(false, NOW);
    young.took(Call::Create, view(7, Power::New), NOW);
    young.took(Call::Get(7), Answer::Missing, NOW + SETTLE_MS - 1);
    assert_eq!(young.status, Status::Provisioning);
    young.took(Call::Get(7), Answer::Missing, NOW + SETTLE_MS);
    assert_eq!(young.failure.unwrap().code, "gone");
    let mut old = active();
    assert_eq!(old.plan(false, NOW + REST_MS), Step::Ask(Call::Get(7)));
    old.took(Call::Get(7), Answer::Missing, NOW + REST_MS);
    assert_eq!((old.status, old.failure.unwrap().code.as_str()), (Status::Failed, "gone"));
}

#[test]
fn it_is_asked_to_go_down_before_the_plug_is_pulled() {
    let mut droplet = active();
    droplet.power(false, NOW).unwrap();
    assert_eq!(droplet.plan(true, NOW), Step::Ask(Call::Get(7)));
    let shutdown = Call::Act(7, Action::Shutdown);
    assert_eq!(droplet.took(Call::Get(7), view(7, Power::Active), NOW), Step::Ask(shutdown));
    // Busy with something else: asked again at the next look.
    assert_eq!(droplet.took(shutdown, Answer::Refused("busy".into()), NOW), Step::Rest);
    assert_eq!(droplet.took(Call::Get(7), view(7, Power::Active), NOW), Step::Ask(shutdown));
    assert_eq!(droplet.took(shutdown, Answer::Done, NOW), Step::Rest);
    assert_eq!(droplet.took(Call::Get(7), view(7, Power::Active), NOW + 1), Step::Rest);
    let pull = Call::Act(7, Action::PowerOff);
    let patience = NOW + POWER_GRACE_MS;
    assert_eq!(droplet.took(Call::Get(7), view(7, Power::Active), patience), Step::Ask(pull));
    droplet.took(pull, Answer::Done, patience);
    let still = droplet.took(Call::Get(7), view(7, Power::Active), patience + POWER_GRACE_MS);
    assert_eq!(still, Step::Rest);
    let mut stuck = droplet.clone();
    droplet.took(Call::Get(7), view(7, Power::Off), patience);
    assert_eq!((droplet.status, droplet.deadline), (Status::Off, None));
    stuck.plan(true, NOW + POWER_MS);
    assert_eq!(
        (stuck.status, stuck.failure.unwrap().code.as_str()),
        (Status::Active, "power_failed")
    );

    droplet.power(true, NOW).unwrap();
    let on = Call::Act(7, Action::PowerOn);
    assert_eq!(droplet.took(Call::Get(7), view(7, Power::Off), NOW), Step::Ask(on));
    droplet.took(on, Answer::Done, NOW);
    droplet.took(Call::Get(7), view(7, Power::Active), NOW);
    assert_eq!(droplet.status, Status::Active);
}

#[test]
fn destroying_goes_on_until_nothing_is_there() {
    let mut droplet = active();
    droplet.destroy(NOW + SETTLE_MS);
    let at = NOW + SETTLE_MS;
    for answer in [Answer::Lost, Answer::Throttled(1), Answer::Refused("busy".into()), Answer::Done]
    {
        assert_eq!(droplet.plan(true, at), Step::Ask(Call::Delete(7)), "{answer:?}");
        assert_eq!(droplet.took(Call::Delete(7), answer, at), Step::Rest);
    }
    assert_eq!(droplet.took(Call::Delete(7), Answer::Missing, at), Step::Ask(Call::Find));
    // The list is behind.
    assert_eq!(droplet.took(Call::Find, view(7, Power::Off), at), Step::Ask(Call::Delete(7)));
    assert_eq!(droplet.took(Call::Delete(7), Answer::Missing, at), Step::Ask(Call::Find));
    assert_eq!(droplet.took(Call::Find, Answer::Nothing, at), Step::Remove);
}

#[test]
fn a_droplet_that_is_asked_for_while_it_is_destroyed_is_found() {
    let mut droplet = Droplet::new(NOW);
    droplet.plan(false, NOW);
    droplet.destroy(NOW);
    assert_eq!(droplet.plan(false, NOW), Step::Ask(Call::Find));
    assert_eq!(droplet.took(Call::Find, Answer::Nothing, NOW), Step::Rest);
    let mut answered = droplet.clone();
    answered.took(Call::Create, view(7, Power::New), NOW);
    assert_eq!(answered.plan(false, NOW), Step::Ask(Call::Delete(7)));
    let settled = NOW + SETTLE_MS;
    assert_eq!(droplet.took(Call::Find, Answer::Nothing, settled), Step::Remove);
}

#[test]
fn a_young_droplet_is_gone_when_its_deletion_was_taken() {
    let mut droplet = active();
    droplet.destroy(NOW);
    // Unknown, perhaps because it is new.
    let mut unknown = droplet.clone();
    unknown.took(Call::Delete(7), Answer::Missing, NOW);
    assert_eq!(unknown.took(Call::Find, Answer::Nothing, NOW), Step::Rest);
    droplet.took(Call::Delete(7), Answer::Done, NOW);
    assert_eq!(droplet.took(Call::Delete(7), Answer::Missing, NOW), Step::Ask(Call::Find));
    assert_eq!(droplet.took(Call::Find, Answer::Nothing, NOW), Step::Remove);
}

#[test]
fn a_retry_begins_when_the_old_one_is_gone() {
    let mut droplet = in_status(Status::Failed);
    droplet.retry(NOW).unwrap();
    assert_eq!(droplet.plan(false, NOW), Step::Ask(Call::Delete(7)));
    droplet.took(Call::Delete(7), Answer::Done, NOW);
    assert_eq!(droplet.took(Call::Delete(7), Answer::Missing, NOW), Step::Ask(Call::Find));
    assert_eq!(droplet.took(Call::Find, Answer::Nothing, NOW), Step::Ask(Call::Create));
    assert_eq!((droplet.status, droplet.attempt), (Status::Provisioning, 2));
    assert_eq!(droplet.deadline, Some(NOW + PROVISIONING_MS));
}

#[test]
fn without_access_nothing_is_forgotten() {
    let mut new = Droplet::new(NOW);
    new.plan(false, NOW);
    new.took(Call::Create, Answer::NoAccess, NOW);
    assert_eq!(new.failure.unwrap().code, "connection_expired");
    let mut droplet = active();
    droplet.destroy(NOW);
    droplet.took(Call::Delete(7), Answer::NoAccess, NOW);
    assert_eq!(droplet.status, Status::Destroying);
    assert_eq!(droplet.failure.clone().unwrap().code, "connection_expired");
    assert_eq!(droplet.plan(false, NOW + BACKOFF_MAX_MS), Step::Ask(Call::Delete(7)));
}

#[test]
fn waits_grow_and_end() {
    assert_eq!(backoff(0), BACKOFF_MIN_MS);
    assert_eq!(backoff(1), 2 * BACKOFF_MIN_MS);
    assert_eq!(backoff(u32::MAX), BACKOFF_MAX_MS);
}
