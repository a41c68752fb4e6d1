//! Tests of `links`: the links of the user's own files.

use crate::stage::Stage;

#[test]
fn links_come_in_each_form_and_cost_the_listings_alone() {
    let stage = Stage::start();
    let a = stage.control().seed_file("d/a & <b>.txt", b"12345").unwrap();
    let c = stage.control().seed_file("d/sub/[c], d", b"1").unwrap();
    stage.control().reset_counters();
    let run = |words: &[&str]| {
        let words: Vec<_> = [&["links", "t:d", "-R"], words].concat();
        stage.run(&words).success_text()
    };
    assert_eq!(run(&["-F", "psl"]), format!("a & <b>.txt;5;{a}\nsub/[c], d;1;{c}\n"));
    let calls = stage.counters();
    assert_eq!(calls.values().sum::<u64>(), calls["folder/ls"], "{calls:?}");
    assert_eq!(run(&["-F", "lp", "--csv"]), format!("{a},a & <b>.txt\n{c},\"sub/[c], d\"\n"));
    let json: serde_json::Value = serde_json::from_str(&run(&["--json"])).unwrap();
    assert_eq!((&json[0]["Link"], &json[0]["Size"]), (&a.clone().into(), &5.into()));
    assert_eq!(json[0]["Whirlpool"].as_str().unwrap().len(), 128);
    assert_eq!(run(&["--markdown"]), format!("- [a \\& \\<b\\>.txt](<{a}>)\n- [sub/\\[c\\], d](<{c}>)\n"));
    assert_eq!(run(&["--bbcode"]), format!("[url={a}]a & <b>.txt[/url]\n[url={c}]sub/(c), d[/url]\n"));
    let page = run(&["--html"]);
    assert!(page.contains(&format!("<a href=\"{a}\">a &amp; &lt;b&gt;.txt</a> (5)")), "{page}");
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>\n"));
    assert_eq!(run(&["-F", "l", "--include", "*.txt"]), format!("{a}\n"));
    assert_eq!(stage.run(&["links", "t:d", "-F", "p"]).success_text(), "a & <b>.txt\n");
}

#[test]
fn other_places_have_no_links() {
    let stage = Stage::start();
    stage.directory("here");
    let run = stage.run(&["links", "work/here"]).code(2);
    assert!(run.stderr.contains("doesn't support public links"), "{}", run.stderr);
    stage.run(&["links"]).code(1);
    stage.run(&["links", "t:", "-F", "x"]).code(2);
}
