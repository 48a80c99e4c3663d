//! What admins read of their own connection.

use super::*;

const CLIENT: &str = "/api/admin/client";

/// The address that is believed, and whether headers were ignored, for an admin who connects from 192.0.2.1.
async fn seen(trusted: &[(&'static str, &str)], headers: &[(&str, &str)]) -> Value {
    let (app, _anon) = TestApp::with(trusted).await;
    let mut call = admin(&app, "root").await.get(CLIENT);
    for (name, value) in headers {
        call = call.header(name, value);
    }
    call.await.expect_status(200).json()
}

#[tokio::test]
async fn an_admin_sees_which_address_is_believed_and_why() {
    let proxy = [("trusted_proxies", "192.0.2.1")];
    let forwarded = [("x-forwarded-for", "198.51.100.7"), ("x-real-ip", "x")];
    assert_eq!(
        seen(&[], &[]).await,
        json!({ "address": "192.0.2.1", "connection": "192.0.2.1", "trusted": false, "headers": [],
            "ignored": false })
    );
    assert_eq!(
        seen(&[], &forwarded).await,
        json!({ "address": "192.0.2.1", "connection": "192.0.2.1", "trusted": false,
            "headers": ["x-forwarded-for", "x-real-ip"], "ignored": true })
    );
    assert_eq!(
        seen(&proxy, &forwarded).await,
        json!({ "address": "198.51.100.7", "connection": "192.0.2.1", "trusted": true,
            "headers": ["x-forwarded-for", "x-real-ip"], "ignored": false })
    );
}
