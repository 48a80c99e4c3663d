//! A user's own documents: what a key and a document may be, and whose they are.

use super::*;

impl Scene {
    /// Somebody who has just registered.
    pub(super) async fn newcomer(&self, name: &str) -> Caller {
        let (access, _) = tokens(self.register(name).await);
        self.caller(&access).await
    }

    pub(super) async fn put(
        &self,
        caller: &Caller,
        key: &str,
        content: &str,
    ) -> Result<String, Error> {
        let content = content.as_bytes().to_vec();
        let putting = self
            .accounts
            .put_document(caller, key, content, VersionCondition::default());
        Ok(putting.await?.etag)
    }
}

#[tokio::test]
async fn a_document_comes_back_to_its_user_and_to_nobody_else() {
    let scene = scene(policy()).await;
    let (ada, eve) = (scene.newcomer("ada").await, scene.newcomer("eve").await);
    let etag = scene
        .put(&ada, "settings", " {\"a\": 1.0} ")
        .await
        .expect("puts");
    let found = scene
        .accounts
        .document(&ada, "settings")
        .await
        .expect("there");
    assert_eq!(found.content, b" {\"a\": 1.0} ");
    assert_eq!((&found.entry.etag, found.entry.size), (&etag, 12));
    assert_eq!(found.entry.updated_at, NOON);
    for key in ["settings", "other", "", ".", "a/b", "k\0", &"k".repeat(65)] {
        let asked = scene.accounts.document(&eve, key).await;
        assert!(matches!(asked, Err(Error::NoSuchDocument)), "{key:?}");
        let deleting = scene
            .accounts
            .delete_document(&eve, key, VersionCondition::default());
        assert!(
            matches!(deleting.await, Err(Error::NoSuchDocument)),
            "{key:?}"
        );
    }
    assert!(
        scene
            .accounts
            .documents(&eve)
            .await
            .expect("lists")
            .is_empty()
    );
    assert_eq!(
        scene.accounts.documents(&ada).await.expect("lists").len(),
        1
    );
}

#[tokio::test]
async fn the_same_content_has_the_same_version_whoever_writes_it_and_when() {
    let scene = scene(policy()).await;
    let (ada, eve) = (scene.newcomer("ada").await, scene.newcomer("eve").await);
    let first = scene.put(&ada, "one", "{}").await.expect("puts");
    scene.clock.advance(Duration::from_secs(60));
    assert_eq!(scene.put(&eve, "two", "{}").await.expect("puts"), first);
    assert_ne!(scene.put(&ada, "one", "{ }").await.expect("puts"), first);
}

#[tokio::test]
async fn what_cannot_be_a_key_or_is_too_large_is_not_kept() {
    let scene = scene(policy()).await;
    let ada = scene.newcomer("ada").await;
    for key in ["", ".a", "a b", "ä", &"k".repeat(65)] {
        let refused = scene.put(&ada, key, "{}").await;
        assert_eq!(
            broken(refused),
            [("key".to_owned(), "invalid_key")],
            "{key:?}"
        );
    }
    let largest = " ".repeat(65_535) + "1";
    scene.put(&ada, "largest", &largest).await.expect("fits");
    let larger = largest + " ";
    let refused = scene.put(&ada, "larger", &larger).await;
    assert!(matches!(refused, Err(Error::DocumentTooLarge)));
    assert_eq!(
        scene.accounts.documents(&ada).await.expect("lists").len(),
        1
    );
}

#[tokio::test]
async fn one_hundred_documents_are_kept_and_changed_and_no_more() {
    let scene = scene(policy()).await;
    let ada = scene.newcomer("ada").await;
    for number in 0..100 {
        scene
            .put(&ada, &format!("k{number}"), "0")
            .await
            .expect("puts");
    }
    let refused = scene.put(&ada, "one-more", "0").await;
    assert_eq!(broken(refused), [("key".to_owned(), "too_many")]);
    scene.put(&ada, "k7", "1").await.expect("replaces");
    let deleting = scene
        .accounts
        .delete_document(&ada, "k7", VersionCondition::default());
    deleting.await.expect("deletes");
    scene
        .put(&ada, "one-more", "0")
        .await
        .expect("there is room");
}

#[tokio::test]
async fn a_change_that_was_meant_for_another_version_is_refused() {
    let scene = scene(policy()).await;
    let ada = scene.newcomer("ada").await;
    scene.put(&ada, "k", "1").await.expect("puts");
    let stale = || one_of("another");
    let putting = scene
        .accounts
        .put_document(&ada, "k", b"2".to_vec(), stale());
    assert!(matches!(putting.await, Err(Error::UnexpectedVersion)));
    let deleting = scene.accounts.delete_document(&ada, "k", stale());
    assert!(matches!(deleting.await, Err(Error::UnexpectedVersion)));
    let deleting = scene.accounts.delete_document(&ada, "none", stale());
    assert!(matches!(deleting.await, Err(Error::NoSuchDocument)));
}

#[tokio::test]
async fn a_user_who_was_deleted_while_asking_is_told_that_the_session_has_ended() {
    let scene = scene(policy()).await;
    let ada = scene.newcomer("ada").await;
    scene.put(&ada, "k", "1").await.expect("puts");
    scene
        .accounts
        .operator()
        .delete("ada")
        .await
        .expect("deletes");
    assert!(matches!(
        scene.put(&ada, "k", "2").await,
        Err(Error::RevokedToken)
    ));
    let deleting = scene
        .accounts
        .delete_document(&ada, "k", VersionCondition::default());
    assert!(matches!(deleting.await, Err(Error::RevokedToken)));
}
