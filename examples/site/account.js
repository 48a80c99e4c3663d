/* Greets whoever is logged in, in place of the links to log in. Nothing else is needed for it than this file: pages of
   the site and accounts have one origin, so the cookie travels by itself. Visitors without a session, or without
   scripts, see the page as it is. */

const answer = await fetch('/api/auth/me').catch(() => null);
if (answer?.ok) greet(await answer.json());

function greet({ name, username, email }) {
  const account = document.createElement('a');
  account.href = '/account';
  // As text and never as HTML: people choose their names themselves.
  account.textContent = name ?? username ?? email;
  const leave = document.createElement('button');
  leave.type = 'button';
  leave.textContent = 'Log out';
  leave.addEventListener('click', logOut);
  document.querySelector('nav[aria-label="Account"] ul').replaceChildren(item('Hello, ', account), item(leave));
  for (const invitation of document.querySelectorAll('[data-for-visitors]')) invitation.remove();
}

/** The page is asked for anew, as it may be one for members alone. */
async function logOut() {
  const answer = await fetch('/api/auth/logout', { method: 'POST' }).catch(() => null);
  // 401 means that the session had ended already.
  if (answer?.ok || answer?.status === 401) location.reload();
  else alert('That did not reach the server: you are still logged in. Please try again.');
}

function item(...content) {
  const item = document.createElement('li');
  item.append(...content);
  return item;
}
