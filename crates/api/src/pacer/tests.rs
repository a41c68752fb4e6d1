//! Tests of the pacer on a paused clock: time passes only in sleeps, so every moment below is exact.

use std::sync::atomic::{AtomicU32, Ordering};

use futures::FutureExt;
use futures::future::join_all;

use super::*;
use crate::folder_id::FolderId;

/// Records what is reported, as short words.
#[derive(Default)]
struct Notes(Mutex<Vec<(WaitReason, Duration)>>, Mutex<Vec<Duration>>);

impl Observer for Notes {
    fn observe(&self, event: &Event<'_>) {
        match event {
            Event::Waiting { why, wait, .. } => self.0.lock().unwrap().push((*why, *wait)),
            Event::ListingGapLearned { gap } => self.1.lock().unwrap().push(*gap),
            _ => {}
        }
    }
}

impl Notes {
    fn waited(&self, why: WaitReason) -> Vec<Duration> {
        let notes = self.0.lock().unwrap();
        notes.iter().filter(|(reason, _)| *reason == why).map(|(_, wait)| *wait).collect()
    }
}

fn pacer_with(
    pacing: Pacing,
    retry: RetryPolicy,
    learned: Learned,
) -> (Arc<Pacer>, Arc<Notes>, CancellationToken) {
    let (notes, token) = (Arc::new(Notes::default()), CancellationToken::new());
    (Arc::new(Pacer::new(pacing, retry, learned, Some(notes.clone()), token.clone())), notes, token)
}

fn pacer() -> (Arc<Pacer>, Arc<Notes>, CancellationToken) {
    pacer_with(Pacing::default(), RetryPolicy::default(), Learned::default())
}

fn call(class: CallClass) -> Call {
    let endpoint = match class {
        CallClass::Plain => Endpoint::FileInfo,
        CallClass::Listing => Endpoint::FolderLs,
        CallClass::AllFiles => Endpoint::FileLs,
        CallClass::AccountInfo => Endpoint::UserInfo,
        CallClass::Token => Endpoint::GetToken,
        CallClass::Node => Endpoint::Download,
    };
    Call::new(endpoint, class, "test")
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn millis(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn flood() -> ErrorKind {
    ErrorKind::Flood { text: "Flood detected: IP Locked #374".into() }
}

fn lost() -> ErrorKind {
    ErrorKind::Network("reset".into())
}

/// Runs a call whose attempts fail as scripted, then go well; returns its result and when each was sent.
async fn scripted(
    pacer: &Pacer,
    call: Call,
    script: impl IntoIterator<Item = ErrorKind>,
) -> (Result<(), ApiError>, Vec<Duration>) {
    let began = Instant::now();
    let script = Mutex::new(script.into_iter().collect::<std::collections::VecDeque<_>>());
    let sent = Mutex::new(Vec::new());
    let result = pacer
        .run(call, || async {
            sent.lock().unwrap().push(began.elapsed());
            script.lock().unwrap().pop_front().map_or(Ok(()), Err)
        })
        .await;
    (result, sent.into_inner().unwrap())
}

async fn when_sent(pacer: &Pacer, call: Call) -> Duration {
    let (result, sent) = scripted(pacer, call, []).await;
    result.unwrap();
    sent[0]
}

#[tokio::test(start_paused = true)]
async fn calls_at_once_leave_exactly_400_ms_apart_in_their_order() {
    let (pacer, _, _) = pacer();
    let began = Instant::now();
    let order = Mutex::new(Vec::new());
    join_all((0..10).map(|number| {
        let (pacer, order) = (&pacer, &order);
        async move {
            let note = || async {
                order.lock().unwrap().push((number, began.elapsed()));
                // An answer that takes time doesn't delay the next call.
                tokio::time::sleep(secs(9)).await;
                Ok(())
            };
            pacer.run(call(CallClass::Plain), note).await.unwrap();
        }
    }))
    .await;
    let expected: Vec<_> = (0..10).map(|number| (number, millis(400 * number))).collect();
    assert_eq!(*order.lock().unwrap(), expected);
}

#[tokio::test(start_paused = true)]
async fn classes_share_the_distance_between_calls() {
    let (pacer, _, _) = pacer();
    let classes = [CallClass::Plain, CallClass::Listing, CallClass::Token, CallClass::AccountInfo];
    let mut sent = join_all(classes.map(|class| when_sent(&pacer, call(class)))).await;
    sent.sort();
    assert_eq!(sent, [0, 400, 800, 1200].map(millis));
}

#[tokio::test(start_paused = true)]
async fn nodes_arent_paced() {
    let (pacer, _, _) = pacer();
    let sent = join_all((0..5).map(|_| when_sent(&pacer, call(CallClass::Node)))).await;
    assert_eq!(sent, [Duration::ZERO; 5]);
}

#[tokio::test(start_paused = true)]
async fn zero_switches_the_distance_off() {
    let (pacer, _, _) = pacer_with(Pacing::off(), RetryPolicy::default(), Learned::default());
    let sent = join_all((0..5).map(|_| when_sent(&pacer, call(CallClass::Listing)))).await;
    assert_eq!(sent, [Duration::ZERO; 5]);
}

#[tokio::test(start_paused = true)]
async fn listings_of_a_fresh_account_keep_the_documented_distance() {
    let (pacer, notes, _) = pacer();
    let sent = join_all((0..3).map(|_| when_sent(&pacer, call(CallClass::Listing)))).await;
    assert_eq!(sent, [secs(0), secs(3), secs(6)]);
    // The interval stays after a flood answer, which is no news.
    let (result, _) = scripted(&pacer, call(CallClass::Listing), [flood()]).await;
    result.unwrap();
    assert_eq!(*notes.1.lock().unwrap(), []);
    let sent = join_all((0..2).map(|_| when_sent(&pacer, call(CallClass::Listing)))).await;
    assert_eq!(sent, [secs(3), secs(6)]);
}

/// Lets listings go as fast as other calls, as where the gap between calls was set by hand.
fn quick_listings() -> Pacing {
    Pacing { listing: millis(400), ..Pacing::default() }
}

#[tokio::test(start_paused = true)]
async fn the_first_flood_at_a_listing_teaches_the_distance_for_good() {
    let (pacer, notes, _) = pacer_with(quick_listings(), RetryPolicy::default(), Learned::default());
    let (result, sent) = scripted(&pacer, call(CallClass::Listing), [flood()]).await;
    result.unwrap();
    assert_eq!(sent, [secs(0), secs(30)]);
    assert_eq!(*notes.1.lock().unwrap(), [secs(3)]);
    assert_eq!(notes.waited(WaitReason::Flood), [secs(30)]);
    assert!(pacer.learned().listings_are_limited);
    let sent = join_all((0..3).map(|_| when_sent(&pacer, call(CallClass::Listing)))).await;
    assert_eq!(sent, [secs(3), secs(6), secs(9)]);
    // It is reported once, not each time.
    let (result, _) = scripted(&pacer, call(CallClass::Listing), [flood()]).await;
    result.unwrap();
    assert_eq!(notes.1.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_was_learned_is_kept_from_the_start_of_the_next_run() {
    let learned = Learned { listings_are_limited: true, ..Learned::default() };
    let (pacer, _, _) = pacer_with(Pacing::default(), RetryPolicy::default(), learned.clone());
    let sent = join_all((0..3).map(|_| when_sent(&pacer, call(CallClass::Listing)))).await;
    assert_eq!(sent, [secs(0), secs(3), secs(6)]);
    let kept = serde_json::to_string(&learned).unwrap();
    assert_eq!(serde_json::from_str::<Learned>(&kept).unwrap(), learned);
}

#[tokio::test(start_paused = true)]
async fn a_folder_listed_by_the_last_run_waits_in_the_next_one() {
    let of = |id| Call { folder: Some((FolderId(id), ListedPart::Files)), ..call(CallClass::Listing) };
    let (before, _, _) = pacer();
    when_sent(&before, of(1)).await;
    let learned = before.learned();
    assert_eq!(learned.folders.len(), 1);
    let kept = serde_json::to_string(&learned).unwrap();
    let (next, notes, _) =
        pacer_with(Pacing::default(), RetryPolicy::default(), serde_json::from_str(&kept).unwrap());
    let began = Instant::now();
    when_sent(&next, of(2)).await;
    assert!(began.elapsed() >= millis(390), "the gap between calls holds across runs");
    when_sent(&next, of(1)).await;
    let waited = began.elapsed();
    assert!(waited > secs(29) && waited <= secs(30), "{waited:?}");
    assert_eq!(notes.waited(WaitReason::SameFolder).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn floods_double_their_pause_up_to_five_minutes() {
    let (pacer, _, _) = pacer();
    let (result, sent) = scripted(&pacer, call(CallClass::Plain), (0..6).map(|_| flood())).await;
    result.unwrap();
    assert_eq!(sent, [0, 30, 90, 210, 450, 750, 1050].map(secs));
    // After a call that succeeded, the next flood is a first one again.
    let (result, sent) = scripted(&pacer, call(CallClass::Plain), [flood()]).await;
    result.unwrap();
    assert_eq!(sent[1] - sent[0], secs(30));
}

#[tokio::test(start_paused = true)]
async fn a_flood_pauses_its_class_only_and_counts_once() {
    let (pacer, _, _) = pacer();
    // Both were sent when the answer to the first comes.
    let slow_flood = |delay| {
        let (pacer, tries) = (&pacer, AtomicU32::new(0));
        async move {
            let began = Instant::now();
            let result = pacer.run(call(CallClass::Plain), || async {
                if tries.fetch_add(1, Ordering::Relaxed) == 0 {
                    tokio::time::sleep(delay).await;
                    Err(flood())
                } else {
                    Ok(began.elapsed())
                }
            });
            result.await.unwrap()
        }
    };
    let token = async {
        tokio::time::sleep(secs(5)).await;
        when_sent(&pacer, call(CallClass::Token)).await
    };
    let (first, second, token) = tokio::join!(slow_flood(secs(1)), slow_flood(secs(1)), token);
    // The second flood answer, to a call sent before the pause, doesn't make the pause longer.
    assert_eq!((first, second), (secs(31), millis(31_400)));
    assert_eq!(token, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn floods_end_in_an_error_when_the_budget_is_spent() {
    let retry = RetryPolicy { flood_retries: 2, ..RetryPolicy::default() };
    let (pacer, _, _) = pacer_with(Pacing::default(), retry, Learned::default());
    let (result, sent) = scripted(&pacer, call(CallClass::Plain), (0..9).map(|_| flood())).await;
    let error = result.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Flood { .. }), "{error:?}");
    assert_eq!((error.attempts(), sent.len()), (3, 3));
}

#[tokio::test(start_paused = true)]
async fn an_address_lock_pauses_everything_then_fails() {
    let (pacer, notes, _) = pacer();
    let locked = || ErrorKind::AddressLocked { text: "IP Locked #79".into() };
    let plain = scripted(&pacer, call(CallClass::Plain), [locked()]);
    let listing = async {
        tokio::time::sleep(secs(1)).await;
        when_sent(&pacer, call(CallClass::Listing)).await
    };
    let ((result, sent), listing) = tokio::join!(plain, listing);
    result.unwrap();
    assert!(sent[1] >= secs(300) && sent[1] <= millis(300_400), "{sent:?}");
    assert!(listing >= secs(299) && listing <= millis(299_400), "{listing:?}");
    assert!(notes.waited(WaitReason::AddressLock).contains(&secs(300)));
    let (result, sent) = scripted(&pacer, call(CallClass::Plain), (0..9).map(|_| locked())).await;
    assert!(result.unwrap_err().is_fatal());
    assert_eq!((sent.len(), sent[1] - sent[0], sent[2] - sent[1]), (3, secs(300), secs(600)));
}

#[tokio::test(start_paused = true)]
async fn the_time_that_the_service_asks_for_is_given() {
    let (pacer, notes, _) = pacer();
    let wait = ErrorKind::Status { code: 429, retry_after: Some(secs(77)) };
    let (result, sent) = scripted(&pacer, call(CallClass::Plain), [wait]).await;
    result.unwrap();
    assert_eq!(sent, [secs(0), secs(77)]);
    assert_eq!(notes.waited(WaitReason::RetryAfter), [secs(77)]);
    // The same holds for a node.
    let wait = ErrorKind::Status { code: 503, retry_after: Some(secs(7)) };
    let (result, sent) = scripted(&pacer, call(CallClass::Node), [wait]).await;
    result.unwrap();
    assert_eq!(sent, [secs(0), secs(7)]);
}

#[tokio::test(start_paused = true)]
async fn too_many_locations_waits_once_and_only_for_downloads() {
    let (pacer, _, _) = pacer();
    let locations = || ErrorKind::TooManyLocations { allowed: Some(3), text: "Only 3 locations".into() };
    let token = scripted(&pacer, call(CallClass::Token), [locations(), locations()]);
    let plain = async {
        tokio::time::sleep(secs(1)).await;
        when_sent(&pacer, call(CallClass::Plain)).await
    };
    let ((result, sent), plain) = tokio::join!(token, plain);
    assert!(matches!(result.unwrap_err().kind(), ErrorKind::TooManyLocations { allowed: Some(3), .. }));
    assert_eq!((sent, plain), (vec![secs(0), secs(300)], secs(0)));
}

#[tokio::test(start_paused = true)]
async fn passing_errors_are_repeated_with_growing_spread_waits() {
    let (pacer, notes, _) = pacer();
    let (result, sent) = scripted(&pacer, call(CallClass::Plain), (0..10).map(|_| lost())).await;
    result.unwrap();
    assert_eq!(sent.len(), 11);
    for (number, wait) in notes.waited(WaitReason::BackOff).into_iter().enumerate() {
        let full = millis(400 << number).min(secs(5));
        assert!(wait >= full / 2 && wait <= full, "{number}: {wait:?}");
    }
    let (result, sent) = scripted(&pacer, call(CallClass::Plain), (0..99).map(|_| lost())).await;
    assert!(matches!(result.unwrap_err().kind(), ErrorKind::Network(_)));
    assert_eq!(sent.len(), 11);
}

#[tokio::test(start_paused = true)]
async fn refusals_are_never_repeated() {
    let (pacer, _, _) = pacer();
    let text = String::new;
    for kind in [
        ErrorKind::NotAuthenticated { text: text() },
        ErrorKind::NoSuchUser { text: text() },
        ErrorKind::OwnerLocked { text: text() },
        ErrorKind::NeedsSubscription { text: text() },
        ErrorKind::NotFound { text: text() },
        ErrorKind::Refused { text: text(), number: None },
        ErrorKind::Certificate("x".into()),
        ErrorKind::TokenRefused { status: 404, words: None },
        ErrorKind::NeedsCdn { text: text() },
        ErrorKind::AddressRefused { text: text() },
        ErrorKind::QuotaExceeded { text: text() },
        ErrorKind::TooLong { limit: 1 },
    ] {
        let name = format!("{kind:?}");
        let (result, sent) = scripted(&pacer, call(CallClass::Plain), [kind]).await;
        assert_eq!((result.is_err(), sent.len()), (true, 1), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_says_nothing_is_asked_for_again_but_not_for_long() {
    let senseless =
        || ErrorKind::InvalidJson { problem: String::new(), snippet: String::new(), well_formed: true };
    let (pacer, _, _) = pacer();
    let (result, sent) = scripted(&pacer, call(CallClass::Token), [senseless(), senseless()]).await;
    result.unwrap();
    assert_eq!(sent.len(), 3);
    let (result, sent) = scripted(&pacer, call(CallClass::Token), (0..9).map(|_| senseless())).await;
    assert!(result.is_err());
    assert_eq!(sent.len(), 3);
    for passing in
        [ErrorKind::Wordless { status: 200 }, ErrorKind::OutOfOrder { text: "Internal error".into() }]
    {
        scripted(&pacer, call(CallClass::Token), [passing]).await.0.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_nodes_pauses_nodes_alone() {
    let (pacer, _, _) = pacer();
    let node = scripted(&pacer, call(CallClass::Node), [flood(), flood()]);
    let plain = async {
        tokio::time::sleep(secs(1)).await;
        when_sent(&pacer, call(CallClass::Plain)).await
    };
    let ((result, sent), plain) = tokio::join!(node, plain);
    result.unwrap();
    assert_eq!(sent, [secs(0), secs(30), secs(90)]);
    assert_eq!(plain, Duration::ZERO);
    let other = async {
        tokio::time::sleep(secs(1)).await;
        when_sent(&pacer, call(CallClass::Node)).await
    };
    let ((result, _), other) = tokio::join!(scripted(&pacer, call(CallClass::Node), [flood()]), other);
    result.unwrap();
    assert!(other >= secs(29), "{other:?}");
    // Calls that are sent once wait as well.
    let (began, upload) = (Instant::now(), Call::new(Endpoint::Upload, CallClass::Node, "test"));
    let error = pacer.once(upload, async { Err::<(), _>(flood()) }).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Flood { .. }) && !error.maybe_done());
    pacer.once(upload, async { Ok(()) }).await.unwrap();
    assert_eq!(began.elapsed(), secs(30));
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_repeated_only_where_that_is_sound() {
    let (pacer, _, _) = pacer();
    let mkdir = Call::new(Endpoint::FolderMkdir, CallClass::Plain, "test");
    for kind in
        [lost(), ErrorKind::Timeout { idle: secs(1) }, ErrorKind::Status { code: 500, retry_after: None }]
    {
        let (result, sent) = scripted(&pacer, mkdir, [kind]).await;
        let error = result.unwrap_err();
        assert!(error.maybe_done(), "{error}");
        assert_eq!((error.retry(), sent.len()), (crate::Retry::AfterLooking, 1));
    }
    let not_sent =
        [ErrorKind::Connect("refused".into()), flood(), ErrorKind::Status { code: 429, retry_after: None }];
    let (result, sent) = scripted(&pacer, mkdir, not_sent).await;
    result.unwrap();
    assert_eq!(sent.len(), 4);
    // A removal is repeated; its later result may come from the earlier attempt.
    let rm = Call::new(Endpoint::FileRm, CallClass::Plain, "test");
    let gone = ErrorKind::NotFound { text: "Resource not found".into() };
    let (result, _) = scripted(&pacer, rm, [lost(), gone]).await;
    let error = result.unwrap_err();
    assert!(error.is_not_found() && error.maybe_done());
}

#[tokio::test(start_paused = true)]
async fn the_deadline_counts_from_the_first_sending() {
    let retry = RetryPolicy { deadline: Some(secs(100)), ..RetryPolicy::default() };
    let (pacer, _, _) = pacer_with(Pacing::default(), retry, Learned::default());
    let (result, sent) = scripted(&pacer, call(CallClass::Plain), (0..9).map(|_| flood())).await;
    let error = result.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::DeadlineExceeded { .. }), "{error:?}");
    assert!(error.to_string().contains("flood"), "{error}");
    assert_eq!(sent, [secs(0), secs(30), secs(90)]);
    // Waiting for the first turn, the rest of the pause, doesn't count.
    let (result, _) = scripted(&pacer, call(CallClass::Plain), []).await;
    result.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_same_folder_waits_for_30_s_another_doesnt() {
    let (pacer, notes, _) = pacer_with(quick_listings(), RetryPolicy::default(), Learned::default());
    let of = |id, endpoint| Call { folder: Some((FolderId(id), endpoint)), ..call(CallClass::Listing) };
    let calls = [
        (1, ListedPart::Folders),
        (2, ListedPart::Folders),
        (1, ListedPart::Files),
        (1, ListedPart::Folders),
    ];
    let sent = join_all(calls.map(|(id, endpoint)| when_sent(&pacer, of(id, endpoint)))).await;
    assert_eq!(sent, [millis(0), millis(400), millis(800), secs(30)]);
    assert_eq!(notes.waited(WaitReason::SameFolder), [secs(30)]);
    // A listing that the service refused to make doesn't count.
    let gone = ErrorKind::NotFound { text: String::new() };
    scripted(&pacer, of(9, ListedPart::Folders), [gone]).await.0.unwrap_err();
    assert!(when_sent(&pacer, of(9, ListedPart::Folders)).await <= millis(400));
    // A listing whose answer was lost counts.
    let (result, sent) = scripted(&pacer, of(10, ListedPart::Folders), [lost()]).await;
    result.unwrap();
    assert_eq!(sent[1] - sent[0], secs(30));
}

#[tokio::test(start_paused = true)]
async fn all_files_sooner_than_after_an_hour_is_an_error_at_once() {
    let (pacer, _, _) = pacer();
    when_sent(&pacer, call(CallClass::AllFiles)).await;
    tokio::time::advance(secs(600)).await;
    let (result, sent) = scripted(&pacer, call(CallClass::AllFiles), []).await;
    let error = result.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::TooSoon { remaining } if *remaining == secs(3000)),
        "{error:?}"
    );
    assert_eq!((sent.len(), error.attempts()), (0, 0));
    tokio::time::advance(secs(3000)).await;
    when_sent(&pacer, call(CallClass::AllFiles)).await;
    assert!(pacer.learned().all_files_listed_at.is_some());
}

#[tokio::test(start_paused = true)]
async fn the_hour_of_another_run_counts_and_a_failure_doesnt() {
    let an_hour_ago = SystemTime::now() - secs(3500);
    let learned = Learned { all_files_listed_at: Some(an_hour_ago), ..Learned::default() };
    let (pacer, _, _) = pacer_with(Pacing::default(), RetryPolicy::default(), learned);
    let (result, _) = scripted(&pacer, call(CallClass::AllFiles), []).await;
    let ErrorKind::TooSoon { remaining } = result.unwrap_err().into_kind() else { panic!() };
    assert!(remaining > secs(95) && remaining <= secs(100), "{remaining:?}");
    tokio::time::advance(secs(101)).await;
    let refused = ErrorKind::NotFound { text: String::new() };
    scripted(&pacer, call(CallClass::AllFiles), [refused]).await.0.unwrap_err();
    when_sent(&pacer, call(CallClass::AllFiles)).await;
}

#[tokio::test(start_paused = true)]
async fn a_flood_at_all_files_means_too_soon() {
    let (pacer, _, _) = pacer();
    let (result, sent) = scripted(&pacer, call(CallClass::AllFiles), [flood()]).await;
    assert!(matches!(result.unwrap_err().kind(), ErrorKind::TooSoon { .. }));
    assert_eq!(sent.len(), 1);
    // It says nothing about the interval of other listings, but the lock holds for them.
    assert!(!pacer.learned().listings_are_limited);
    assert_eq!(when_sent(&pacer, call(CallClass::Listing)).await, secs(30));
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_waits_and_calls() {
    let (pacer, _, token) = pacer();
    let waiting = scripted(&pacer, call(CallClass::Plain), (0..9).map(|_| flood()));
    let stop = async {
        tokio::time::sleep(secs(40)).await;
        token.cancel();
    };
    let ((result, sent), ()) = tokio::join!(waiting, stop);
    assert!(matches!(result.unwrap_err().kind(), ErrorKind::Canceled));
    assert_eq!(sent.len(), 2);
    let (result, sent) = scripted(&pacer, call(CallClass::Plain), []).now_or_never().unwrap();
    assert_eq!((result.unwrap_err().attempts(), sent.len()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_report_is_asked_for_every_3_s_then_every_30_s_for_5_minutes() {
    let (pacer, _, _) = pacer();
    let began = Instant::now();
    let asked = Mutex::new(Vec::new());
    let report = Call::new(Endpoint::UploadReport, CallClass::Node, "test");
    let never = pacer
        .poll(report, secs(300), false, || async {
            asked.lock().unwrap().push(began.elapsed().as_secs());
            if asked.lock().unwrap().len() % 2 == 0 { Ok(None::<()>) } else { Err(lost()) }
        })
        .await;
    assert!(matches!(never.unwrap_err().kind(), ErrorKind::NoReport { .. }));
    let asked = asked.into_inner().unwrap();
    assert_eq!(asked[..11], [0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30]);
    assert_eq!(asked[11..], [60, 90, 120, 150, 180, 210, 240, 270, 300]);
    let refused = pacer
        .poll(report, secs(300), false, || async {
            Err::<Option<()>, _>(ErrorKind::NotFound { text: String::new() })
        })
        .await;
    assert_eq!(refused.unwrap_err().attempts(), 1);
}

#[tokio::test(start_paused = true)]
async fn listings_go_one_by_one_and_rest_from_the_answer_on() {
    let learned = Learned { listings_are_limited: true, ..Learned::default() };
    let (pacer, _, _) = pacer_with(Pacing::default(), RetryPolicy::default(), learned);
    let began = Instant::now();
    let sent = Mutex::new(Vec::new());
    join_all((0..3).map(|_| {
        let (pacer, sent) = (&pacer, &sent);
        async move {
            let slow = || async {
                sent.lock().unwrap().push(began.elapsed());
                tokio::time::sleep(secs(5)).await;
                Ok(())
            };
            pacer.run(call(CallClass::Listing), slow).await.unwrap();
        }
    }))
    .await;
    assert_eq!(sent.into_inner().unwrap(), [secs(0), secs(8), secs(16)]);
}

#[tokio::test(start_paused = true)]
async fn folders_that_may_be_listed_again_are_not_kept() {
    let (pacer, _, _) = pacer();
    let began = Instant::now();
    for folder in 0..200 {
        let listing =
            Call { folder: Some((FolderId(folder), ListedPart::Files)), ..call(CallClass::Listing) };
        when_sent(&pacer, listing).await;
    }
    assert!(began.elapsed() > pacer.ledger().same_folder() * 2);
    // At most those of the last two intervals.
    let allowed = (pacer.ledger().same_folder() * 2).as_millis() / Pacing::default().listing.as_millis();
    let kept = pacer.ledger().folders.len();
    assert!(kept as u128 <= allowed + 1 && kept < 200, "{kept}, {allowed}");
}

/// Lets a listing be stopped while its attempt goes on. Returns whether the next process lists the same folder at once.
/// It runs in real time, since processes agree by the wall clock.
async fn is_free_after_a_stop(left: bool) -> bool {
    let directory = tempfile::tempdir().unwrap();
    let pacing = Pacing { same_folder: secs(60), listing_after_flood: millis(1), ..Pacing::off() };
    let shared = || {
        let (retry, token) = (RetryPolicy::default(), CancellationToken::new());
        let mut pacer = Pacer::new(pacing.clone(), retry, Learned::default(), None, token);
        pacer.share(&directory.path().join("account"));
        pacer
    };
    let listing = Call { folder: Some((FolderId(7), ListedPart::Files)), ..call(CallClass::Listing) };
    let first = shared();
    let never = first.run(listing, || async {
        if left {
            Departure::is_now();
        }
        std::future::pending::<Result<(), ErrorKind>>().await
    });
    assert!(tokio::time::timeout(millis(200), never).await.is_err());
    // This is far from both: at once, and a minute.
    let patience = if left { secs(1) } else { secs(30) };
    tokio::time::timeout(patience, when_sent(&shared(), listing)).await.is_ok()
}

#[tokio::test]
async fn a_listing_that_never_left_keeps_nobody_waiting_and_one_that_did_does() {
    assert!(is_free_after_a_stop(false).await);
    assert!(!is_free_after_a_stop(true).await);
}

#[tokio::test(start_paused = true)]
async fn a_run_waits_so_long_in_all_and_the_pace_does_not_count() {
    let mut pacer = Pacer::new(
        Pacing::default(),
        RetryPolicy { deadline: None, flood_retries: 1000, ..RetryPolicy::default() },
        Learned::default(),
        None,
        CancellationToken::new(),
    );
    pacer.wait_within(WaitBudget::new(secs(3600)));
    let began = Instant::now();
    for _ in 0..10_000 {
        when_sent(&pacer, call(CallClass::Plain)).await;
    }
    assert!(began.elapsed() > secs(3900));
    let began = Instant::now();
    let (result, _) =
        scripted(&pacer, call(CallClass::Plain), std::iter::repeat_with(flood).take(1000)).await;
    let error = result.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::WaitedTooLong { .. }) && error.is_fatal(), "{error}");
    assert!(error.to_string().contains("--max-wait") && error.to_string().contains("1h"), "{error}");
    assert!(began.elapsed() <= secs(3601) && began.elapsed() > secs(3000), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn waits_side_by_side_count_once() {
    let budget = WaitBudget::new(secs(100));
    let (first, _) = budget.begin(secs(60), false, None).unwrap();
    tokio::time::sleep(secs(30)).await;
    let (second, _) = budget.begin(secs(60), false, None).unwrap();
    tokio::time::sleep(secs(30)).await;
    drop(first);
    tokio::time::sleep(secs(30)).await;
    drop(second);
    assert!(budget.begin(secs(11), false, None).is_err());
    let (_, news) = budget.begin(secs(10), false, None).unwrap();
    assert_eq!(news, Some((secs(100), secs(100))));
}

#[tokio::test(start_paused = true)]
async fn a_late_report_is_told_with_what_came_last() {
    let (pacer, notes, _) = pacer();
    let report = Call::new(Endpoint::UploadReport, CallClass::Node, "test");
    let never = pacer.poll(report, secs(300), false, || async { Err::<Option<()>, _>(lost()) }).await;
    assert!(never.is_err());
    assert_eq!(notes.waited(WaitReason::LateReport), [secs(30); 9]);
}

#[tokio::test(start_paused = true)]
async fn what_must_not_be_made_twice_is_repeated_only_where_it_was_kept_away() {
    let status = |code| ErrorKind::Status { code, retry_after: None };
    for (kind, repeated) in [
        (flood(), true),
        (ErrorKind::Connect("refused".into()), true),
        (status(429), true),
        (status(503), false),
        (status(403), false),
        (ErrorKind::Wordless { status: 200 }, false),
        (lost(), false),
    ] {
        let (pacer, _, _) = pacer();
        let words = kind.to_string();
        let copy = Call::new(Endpoint::FileCp, CallClass::Plain, "test");
        let (result, sent) = scripted(&pacer, copy, [kind]).await;
        assert_eq!((result.is_ok(), sent.len()), (repeated, 1 + usize::from(repeated)), "{words}");
        if let Err(error) = result {
            assert!(error.maybe_done(), "{words}");
        }
    }
}
