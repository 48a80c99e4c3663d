/**
 * Lighthouse over the built-in pages at `VESTIBULE_URL`, as on a telephone with a slow network: medians of several
 * visits. What a page weighs is judged, as it is the same on every machine; scores and times are printed alone.
 */

import { launch } from 'chrome-launcher';
import lighthouse from 'lighthouse';

const VISITS = 3;

/** The most bytes that may travel for a page, headers included. What everybody loads first has a budget of its own. */
const PAGES = [
  { path: '/login', signedIn: false, budgets: { Script: 95_000, Stylesheet: 8_192 } },
  { path: '/dashboard', signedIn: true, budgets: { Script: 140_000, Stylesheet: 8_192 } },
];

const SCORES = ['performance', 'accessibility', 'best-practices'];
const TIMES = ['first-contentful-paint', 'largest-contentful-paint', 'total-blocking-time'];

const server = process.env.VESTIBULE_URL;
const chrome = await launch({
  chromePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  // Chromium's sandbox refuses to start for root.
  chromeFlags: ['--headless=new', '--disable-gpu', ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])],
  logLevel: 'error',
});
let passed = 0;
let failed = 0;
try {
  for (const page of PAGES) {
    const reports = [];
    for (let visit = 0; visit < VISITS; visit += 1) reports.push(await visitOf(page));
    tell(page, reports);
    judge(page, reports);
  }
} finally {
  chrome.kill();
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;

async function visitOf({ path, signedIn }) {
  const extraHeaders = signedIn ? { Cookie: await openSession() } : {};
  const { lhr } = await lighthouse(server + path, { port: chrome.port, extraHeaders, logLevel: 'error' });
  if (lhr.runtimeError) throw new Error(`${path}: ${lhr.runtimeError.message}`);
  if (new URL(lhr.finalDisplayedUrl).pathname !== path) throw new Error(`${path} led to ${lhr.finalDisplayedUrl}`);
  return lhr;
}

/** The cookie of a new account. */
async function openSession() {
  const email = `ada${crypto.randomUUID().slice(0, 8)}@example.org`;
  const answer = await fetch(`${server}/api/auth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email, password: 'a quiet hall of seven arches', mode: 'cookie' }),
  });
  if (answer.status !== 201) throw new Error(`a registration was answered ${answer.status}`);
  return answer.headers.getSetCookie()[0].split(';')[0];
}

function tell({ path }, reports) {
  const scores = SCORES.map((name) => `${name} ${Math.round(100 * medianOf(reports, (lhr) => lhr.categories[name].score))}`);
  const times = TIMES.map((name) => `${name} ${Math.round(medianOf(reports, (lhr) => lhr.audits[name].numericValue))} ms`);
  console.log(`${path}: ${[...scores, ...times].join(', ')}`);
}

function judge({ path, budgets }, reports) {
  for (const [type, budget] of Object.entries(budgets)) {
    const bytes = medianOf(reports, (lhr) => weight(lhr, type));
    const holds = bytes > 0 && bytes <= budget;
    console.log(`${holds ? 'ok   ' : 'FAIL '} ${path} loads ${bytes} bytes of type ${type}, at most ${budget}`);
    if (holds) passed += 1;
    else failed += 1;
  }
}

function weight(lhr, type) {
  const requests = lhr.audits['network-requests'].details.items.filter(({ resourceType }) => resourceType === type);
  return requests.reduce((sum, { transferSize }) => sum + transferSize, 0);
}

function medianOf(reports, figure) {
  const figures = reports.map(figure).sort((left, right) => left - right);
  return figures[Math.floor(figures.length / 2)];
}
