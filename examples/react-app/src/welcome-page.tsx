/**
 * `/`, for everybody, and what stands at addresses where nothing is.
 */

import { SignedIn, SignedOut } from '@vestibule/client/react';
import { Link } from 'react-router';

export function WelcomePage() {
  return (
    <>
      <title>Basket</title>
      <h1>Never forget the lemons</h1>
      <p className="soft">A shopping list that is the same on your telephone, in your kitchen and in the shop.</p>
      <div className="actions">
        <SignedIn>
          <Link className="button" to="/list">
            To your list
          </Link>
        </SignedIn>
        <SignedOut>
          <Link className="button" to="/register">
            Create an account
          </Link>
          <Link to="/login">Log in</Link>
        </SignedOut>
      </div>
    </>
  );
}

export function NothingPage() {
  return (
    <>
      <title>Nothing here · Basket</title>
      <h1>This shelf is empty</h1>
      <p className="soft">There is no page at this address.</p>
      <Link to="/">Back to the beginning</Link>
    </>
  );
}
