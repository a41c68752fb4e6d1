use super::*;
use proptest::prelude::*;

fn parsed(text: &str) -> Result<Address, AddressFault> {
    Address::parse_with(text.as_bytes(), Drives::None).map_err(|error| error.fault)
}

fn parts(text: &str) -> (String, Vec<(String, String)>, String) {
    let address = parsed(text).unwrap();
    let path = String::from_utf8(address.path).unwrap();
    let (name, parameters) = match address.remote {
        RemoteSpec::Local => (String::new(), Parameters::default()),
        RemoteSpec::Named { name, parameters } => (name, parameters),
        RemoteSpec::OnTheFly { backend, parameters } => (format!(":{backend}"), parameters),
    };
    (name, parameters.0, path)
}

#[track_caller]
fn assert_parts(text: &str, name: &str, parameters: &[(&str, &str)], path: &str) {
    let parameters = parameters.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    assert_eq!(parts(text), (name.to_owned(), parameters, path.to_owned()), "{text}");
}

#[test]
fn remotes_and_paths() {
    assert_parts("l:", "l", &[], "");
    assert_parts("l:/x", "l", &[], "/x");
    assert_parts("l:a:b", "l", &[], "a:b");
    assert_parts("a:::b", "a", &[], "::b");
    assert_parts(":local:", ":local", &[], "");
    assert_parts("C:\\x", "C", &[], "\\x");
}

#[test]
fn parameters_and_quotes() {
    assert_parts("l,cdn:x", "l", &[("cdn", "true")], "x");
    assert_parts("l,a=\"x:y\",b=1:p", "l", &[("a", "x:y"), ("b", "1")], "p");
    assert_parts("l,a='x''y\"':p", "l", &[("a", "x'y\"")], "p");
    assert_parts("l,a=x\"y:p", "l", &[("a", "x\"y")], "p");
    assert_parts("l,a=:x", "l", &[("a", "")], "x");
    assert_parts("l,a=\"\":x", "l", &[("a", "")], "x");
    assert_parts("l,a=/b/c:x", "l", &[("a", "/b/c")], "x");
    assert_parts("l,a= 1 :x", "l", &[("a", " 1 ")], "x");
    assert_parts("l,a=true=false:p", "l", &[("a", "true=false")], "p");
    assert_parts("l,global.timeout=1s:x", "l", &[("global.timeout", "1s")], "x");
    assert_parts(":fichier,api_key=K:d", ":fichier", &[("api_key", "K")], "d");
    assert_eq!(Parameters(vec![("a".into(), "1".into()), ("a".into(), "2".into())]).get("a"), Some("2"));
}

#[test]
fn local_paths() {
    for text in
        ["/a:b", "./l:x", "a/b:c", "a\\b:c", "a/l,c:d", ".", "l,a=x", "l,a", "l,a=\"x", "a,b/c", "l/,a=1:x"]
    {
        assert_parts(text, "", &[], text);
    }
    let drive = Address::parse_with(b"C:\\x", Drives::Letters).unwrap();
    assert_eq!(drive, Address::local("C:\\x"));
    let named = Address::parse_with(b"CD:x", Drives::Letters).unwrap();
    assert!(matches!(named.remote, RemoteSpec::Named { .. }));
}

// Names that `rclone lsf NAME:x` of v1.75.2 accepted and refused.
#[test]
fn names() {
    for name in [
        "a b", "a@b", "a+b", "a.b", ".a", "@a", "+a", "_a", "1", "é", "日本", "٣", "½", "²", "a--", "a-b-",
        "a b-", "a -", "a - b", "a_", "a.", "@", "a-b",
    ] {
        assert_parts(&format!("{name}:x"), name, &[], "x");
    }
    for name in
        [" a", "a ", "-a", "--a", "a-", "a+-", "a*b", "a(b)", "a#", "a‛b", "a\nb", "e\u{301}", " local"]
    {
        assert_eq!(parsed(&format!("{name}:x")), Err(AddressFault::BadName), "{name:?}");
        assert_eq!(parsed(&format!(":{name}:x")), Err(AddressFault::BadName), "{name:?}");
    }
    assert_eq!(Address::parse_with(b"a\xff:c", Drives::None).unwrap_err().fault, AddressFault::BadName);
}

// All refused by rclone v1.75.2, too.
#[test]
fn faults() {
    use AddressFault::*;
    for (text, fault, at) in [
        ("", Empty, 0),
        (":", NoColon, 1),
        ("::", EmptyName, 1),
        (",a=1:p", EmptyName, 0),
        (":,a=1:p", EmptyName, 1),
        (":local", NoColon, 6),
        (":local,a=1", UnendedParameter, 10),
        (":local,a", UnendedParameter, 8),
        (":local,a=\"x", UnclosedQuote, 9),
        (":local,a=\"b\"", AfterQuote, 12),
        (":a/b:c", BadName, 1),
        ("l,:x", EmptyParameter, 2),
        ("l,,a=1:x", EmptyParameter, 2),
        ("l,a=1,:x", EmptyParameter, 6),
        ("l,=1:x", EmptyParameter, 2),
        ("l,a=\"b\",:p", EmptyParameter, 8),
        ("l,a=\"x\"y:p", AfterQuote, 7),
        ("l,a=\"x:p", UnclosedQuote, 4),
        ("l,a=\"x:y\"", AfterQuote, 9),
        ("l,a-b=1:x", BadParameter, 3),
        ("l,a b=1:x", BadParameter, 3),
        ("l, a=1:x", BadParameter, 2),
        ("l,é=1:x", BadParameter, 2),
        ("a,b/c:d", BadParameter, 3),
    ] {
        let error = Address::parse_with(text.as_bytes(), Drives::None).unwrap_err();
        assert_eq!((error.fault, error.at), (fault, at), "{text}");
    }
}

#[test]
fn a_path_may_be_any_bytes() {
    let address = Address::parse_with(b"l:a\xff", Drives::None).unwrap();
    assert_eq!(address.path, b"a\xff");
    assert_eq!(address.to_bytes(), b"l:a\xff");
}

#[test]
fn debug_output_and_errors_hide_values() {
    let address = Address::parse_with(b":fichier,api_key=SECRET:x", Drives::None).unwrap();
    assert!(!format!("{address:?}").contains("SECRET"));
    assert!(format!("{address:?}").contains("api_key"));
    let error = Address::parse_with(b":fichier,api_key=\"SECRET:x", Drives::None).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("SECRET"));
}

proptest! {
    #[test]
    fn no_bytes_break_the_reader(text in prop::collection::vec(prop::sample::select(b"ab,:=\"'/\\- .\xff\xc3\xa9".as_slice()), 0..16)) {
        for drives in [Drives::None, Drives::Letters] {
            match Address::parse_with(&text, drives) {
                Ok(address) => prop_assert_eq!(Address::parse_with(&address.to_bytes(), drives), Ok(address)),
                Err(error) => prop_assert!(error.at <= text.len()),
            }
        }
    }

    #[test]
    fn what_is_shown_is_read_back(
        name in "[a-z][a-z0-9 ]{0,5}[a-z]",
        on_the_fly: bool,
        values in prop::collection::vec(("[a-z_.]{1,8}", ".*"), 0..4),
        path in ".*",
    ) {
        let parameters = Parameters(values);
        let remote = match on_the_fly {
            true => RemoteSpec::OnTheFly { backend: name, parameters },
            false => RemoteSpec::Named { name, parameters },
        };
        let address = Address { remote, path: path.into_bytes() };
        prop_assert_eq!(Address::parse_with(address.to_string().as_bytes(), Drives::None), Ok(address));
    }
}
