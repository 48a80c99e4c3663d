//! Hashes of other programs and of bcrypt: verified, replaced, refused, and no password cut.

use super::*;

/// By Python's bcrypt.
pub(super) const FOREIGN_HASH: &str =
    "$2b$04$W0xURlKTA3sKa3sHMG.IHu54ouYBOYtecuZfSR2OXOH2inMQi6Yhq";

impl Scene {
    pub(super) async fn store_hash(&self, login: &str, hash: &str) {
        let found = self.find(login).await;
        let audit = self.accounts.audit(
            AuditKind::PasswordChanged,
            Actor::Operator,
            Some(found.user.id),
            None,
        );
        let store = self.database.store();
        assert!(
            store
                .set_password(found.user.id, hash.to_owned(), audit)
                .await
                .expect("stored")
                .outcome
        );
    }

    async fn stored_hash(&self, login: &str) -> String {
        let found = self.find(login).await;
        found.password_hash.expect("a password")
    }

    async fn find(&self, login: &str) -> store::Credentials {
        let lookup = names::Login::new(login).lookup();
        let found = self.database.store().credentials(lookup).await;
        found.expect("readable").expect("known")
    }
}

#[tokio::test]
async fn the_census_tells_hashes_from_elsewhere_and_broken_ones_from_todays() {
    let scene = scene(policy()).await;
    for name in ["ada", "bob", "eve", "mallory"] {
        scene.register(name).await;
    }
    scene.store_hash("bob", FOREIGN_HASH).await;
    scene
        .store_hash("eve", "md5$5f4dcc3b5aa765d61d8327deb882cf99")
        .await;
    let operator = scene.accounts.operator();
    operator.delete("mallory").await.expect("deleted");
    let expected = HashCensus {
        current: 1,
        replaceable: 1,
        unusable: 1,
    };
    assert_eq!(operator.census_of_hashes().await.expect("counts"), expected);
}

#[tokio::test]
async fn a_hash_from_elsewhere_is_replaced_by_the_login_that_proves_it() {
    let scene = scene(policy()).await;
    scene.register("ada").await;
    scene.store_hash("ada", FOREIGN_HASH).await;
    let wrong = scene.login("ada", "wrong password").await;
    assert!(matches!(wrong, Err(Error::InvalidCredentials)));
    assert_eq!(scene.stored_hash("ada").await, FOREIGN_HASH);

    let password = "x".repeat(71);
    scene.login("ada", &password).await.expect("the password");
    let stored = scene.stored_hash("ada").await;
    assert!(stored.starts_with("$argon2id$"), "{stored}");
    scene.login("ada", &password).await.expect("still the same");
    assert_eq!(scene.stored_hash("ada").await, stored);
}

#[tokio::test]
async fn a_hash_that_cannot_be_checked_gets_the_answer_and_the_work_of_a_wrong_password() {
    let scene = scene(policy()).await;
    scene.register("ada").await;
    for hash in [
        "$2b$31$W0xURlKTA3sKa3sHMG.IHu54ouYBOYtecuZfSR2OXOH2inMQi6Yhq",
        "$argon2id$v=19$m=4194304,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "garbage",
    ] {
        scene.store_hash("ada", hash).await;
        let before = scene.accounts.0.gate.calls();
        let answer = scene.login("ada", PASSWORD).await;
        assert!(matches!(answer, Err(Error::InvalidCredentials)), "{hash}");
        assert_eq!(scene.accounts.0.gate.calls() - before, 1, "{hash}");
        assert_eq!(scene.stored_hash("ada").await, hash);
    }
}

#[tokio::test]
async fn under_bcrypt_no_password_is_cut_whoever_sets_it() {
    let scene = scene(Policy {
        hash_cost: HashCost::Bcrypt(BcryptCost::TRIFLING),
        ..policy()
    })
    .await;
    let entered = |name: &str, password: String| Registration {
        password: password.into(),
        ..form(name)
    };
    let is_too_long =
        |error: Error| matches!(error, Error::Invalid(broken) if broken[0].code == "too_long");
    let register = |name, password| {
        let form = entered(name, password);
        async { scene.accounts.register(form, Mode::Token, &peer()).await }
    };
    let refused = register("ada", "x".repeat(73)).await.err();
    assert!(refused.is_some_and(is_too_long));
    register("ada", "x".repeat(72)).await.expect("it fits");
    let stored = scene.stored_hash("ada").await;
    assert!(stored.starts_with("$2b$"), "{stored}");
    scene.login("ada", &"x".repeat(72)).await.expect("whole");
    let longer = scene.login("ada", &"x".repeat(73)).await;
    assert!(matches!(longer, Err(Error::InvalidCredentials)));

    let operator = scene.accounts.operator();
    let refused = operator.set_password("ada", "é".repeat(37).into()).await;
    assert!(refused.err().is_some_and(is_too_long));
    assert_eq!(scene.stored_hash("ada").await, stored);
}

#[tokio::test]
async fn under_bcrypt_a_weak_hash_of_a_longer_password_stays() {
    let scene = scene(policy()).await;
    scene.register("ada").await;
    let password = "x".repeat(100);
    let operator = scene.accounts.operator();
    let set = operator.set_password("ada", password.clone().into()).await;
    set.expect("set");
    let stored = scene.stored_hash("ada").await;

    let bcrypt = Policy {
        hash_cost: HashCost::Bcrypt(BcryptCost::TRIFLING),
        ..policy()
    };
    let accounts = open(&scene.database, 7, bcrypt, scene.clock.clone())
        .await
        .expect("opens");
    accounts
        .login(entered("ada", &password), Mode::Token, &peer())
        .await
        .expect("the password");
    assert_eq!(scene.stored_hash("ada").await, stored);
}
