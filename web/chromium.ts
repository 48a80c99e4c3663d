/**
 * How browser tests start the system's Chromium, or the one that `CHROMIUM` names. What they do with it is up to them.
 */

const isRoot = process.getuid?.() === 0;

export const chromium = {
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    // Chromium's sandbox refuses to start for root.
    ...(isRoot ? ['--no-sandbox'] : []),
  ],
};
