use super::*;

/// RFC 8037 appendix A.1: d, x; A.3: the thumbprint; A.4: the signature of a payload under the header `{"alg":"EdDSA"}`.
const D: &str = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
const THUMBPRINT: &str = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";
const SIGNED: &str = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
const SIGNATURE: &str =
    "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

const CAPTURE: &str = "4622vd7bd4gw17pqcd22sxfegt";

fn key() -> SigningKey {
    let seed = Base64UrlUnpadded::decode_vec(D).unwrap();
    SigningKey::from_seed(&seed.try_into().unwrap()).unwrap()
}

fn keys() -> Vec<u8> {
    let other = SigningKey::from_seed(&[7; 32]).unwrap();
    let curve = json!({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"});
    serde_json::to_vec(&json!({"keys": [curve, other.public(), key().public()]})).unwrap()
}

/// Evidence with one entry, the opening of the capture.
fn evidence() -> Evidence {
    let document = format!(
        r#"{{"action":"capture_opened","actor":"ann","address":"-","at":1,"chain":"a/1","detail":{{}},"object":"capture {CAPTURE}","seq":1,"v":1}}"#
    );
    let hash = Sha256::digest(format!("00{document}"));
    let opened = domain::audit::ChainedDocument {
        position: 1,
        chain: "a/1".to_owned(),
        seq: 1,
        previous: "00".to_owned(),
        hash: crate::key::hex(&hash),
        document,
    };
    let now = domain::time::UnixMillis(2);
    Evidence::new(CAPTURE.parse().unwrap(), vec![opened], "ann", now)
}

fn signed(payload: &[u8]) -> Value {
    serde_json::from_str(&key().sign(payload).unwrap()).unwrap()
}

fn file() -> Value {
    signed(&serde_json::to_vec(&evidence()).unwrap())
}

fn verified(file: &Value) -> Result<(Evidence, Vec<Proven>), EvidenceError> {
    verify_evidence(&serde_json::to_vec(file).unwrap(), &keys())
}

#[test]
fn keys_and_signatures_are_those_of_the_rfc() {
    let key = key();
    assert_eq!((x_of(&key.pair).as_str(), key.id.as_str()), (X, THUMBPRINT));
    let signature = key.pair.sign(SIGNED.as_bytes());
    assert_eq!(
        Base64UrlUnpadded::encode_string(signature.as_ref()),
        SIGNATURE
    );
}

#[test]
fn what_was_signed_is_verified_and_proven() {
    let (read, proven) = verified(&file()).unwrap();
    assert_eq!((read, proven.len()), (evidence(), 1));
}

#[test]
fn every_changed_character_is_found() {
    let sound = serde_json::to_vec(&file()).unwrap();
    let mut found = 0;
    for at in 0..sound.len() {
        let mut changed = sound.clone();
        changed[at] ^= 1;
        assert!(verify_evidence(&changed, &keys()).is_err(), "{at}");
        found += 1;
    }
    assert!(found > 500);
}

#[test]
fn a_file_of_another_key_kind_or_use_is_refused_by_name() {
    let refused = |change: &dyn Fn(&mut Protected)| {
        let mut header = Protected {
            alg: ALGORITHM.to_owned(),
            kid: THUMBPRINT.to_owned(),
            typ: TYPE.to_owned(),
        };
        change(&mut header);
        let mut file = file();
        let header = serde_json::to_vec(&header).unwrap();
        file["protected"] = Base64UrlUnpadded::encode_string(&header).into();
        verified(&file).unwrap_err().to_string()
    };
    assert!(refused(&|header| header.alg = "none".to_owned()).contains("signed by none"));
    assert!(refused(&|header| header.alg = "HS256".to_owned()).contains("signed by HS256"));
    assert!(refused(&|header| header.typ = "JWT".to_owned()).contains("it is JWT"));
    let unknown = refused(&|header| header.kid = "AAAA".to_owned());
    assert!(
        unknown.contains("AAAA") && unknown.contains(THUMBPRINT),
        "{unknown}"
    );
    let key = serde_json::to_vec(&json!({"keys": []})).unwrap();
    let none = verify_evidence(&serde_json::to_vec(&file()).unwrap(), &key).unwrap_err();
    assert!(none.to_string().ends_with("the public keys are none"));
}

#[test]
fn a_key_that_calls_itself_another_is_not_taken_for_it() {
    let mut liar = SigningKey::from_seed(&[7; 32]).unwrap();
    liar.id = THUMBPRINT.to_owned();
    let forged = liar
        .sign(&serde_json::to_vec(&evidence()).unwrap())
        .unwrap();
    assert!(matches!(
        verify_evidence(forged.as_bytes(), &keys()),
        Err(EvidenceError::Signature)
    ));
    let keys = serde_json::to_vec(&json!({"keys": [liar.public()]})).unwrap();
    assert!(matches!(
        verify_evidence(forged.as_bytes(), &keys),
        Err(EvidenceError::UnknownKey { .. })
    ));
}

#[test]
fn a_signature_does_not_make_evidence_of_anything() {
    for payload in ["", "{}", "[]", "\"x\""] {
        assert!(
            matches!(
                verified(&signed(payload.as_bytes())),
                Err(EvidenceError::Unreadable(_))
            ),
            "{payload}"
        );
    }
    let mut empty = evidence();
    empty.entries.clear();
    let empty = signed(&serde_json::to_vec(&empty).unwrap());
    assert!(matches!(
        verified(&empty),
        Err(EvidenceError::Flaw(Flaw::Beginning))
    ));
    let long = vec![b' '; EVIDENCE_BYTES_MAX + 1];
    assert!(matches!(
        verify_evidence(&long, &keys()),
        Err(EvidenceError::TooLong)
    ));
}

#[test]
fn a_key_follows_from_its_master_key_and_says_nothing_of_it() {
    let master = |byte| MasterKey {
        id: "m".to_owned(),
        bytes: Zeroizing::new([byte; KEY_BYTES]),
    };
    let [first, again, other] = [1, 1, 2].map(|byte| SigningKey::derive(&master(byte)).unwrap().id);
    assert_eq!(first, again);
    assert_ne!(first, other);
    let used = SigningKey::from_seed(&[1; KEY_BYTES]).unwrap().id;
    assert_ne!(first, used, "the master key itself signs");
}
