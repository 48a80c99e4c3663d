/**
 * The released program as a child process, with a data folder of its own that goes with it, and what it counts. What
 * is asked of it is up to the tests.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** The tests act as many visitors from one address. */
const NO_LIMITS = ['register-per-ip', 'login-per-account', 'login-per-ip', 'refresh-per-ip'].map(
  (limit) => `--limits-${limit}=off`,
);

/** Settings of whoever runs the tests are not for the server under test. */
const SETTINGS = /^(VESTIBULE_|DATABASE_URL$|PORT$)/;

const LINES_KEPT = 100;

/** What became of the refreshes so far, as the server counts them. */
export interface Refreshes {
  succeeded: number;
  refused: number;
  reused: number;
}

export class Program {
  readonly #process: ChildProcess;
  readonly #folder: string;
  readonly #log: string[];
  /** Where pages and API are. */
  readonly url: string;
  readonly #metrics: string;

  private constructor(process: ChildProcess, folder: string, log: string[], ready: { url: string; metrics: string }) {
    this.#process = process;
    this.#folder = folder;
    this.#log = log;
    this.url = ready.url;
    this.#metrics = ready.metrics;
  }

  /** Starts it on ports that the system chooses, and waits until it is ready. */
  static async start(flags: readonly string[]): Promise<Program> {
    const binary = process.env.VESTIBULE_BINARY;
    if (!binary) throw new Error('VESTIBULE_BINARY must be the path of the program');
    const folder = await mkdtemp(join(tmpdir(), 'vestibule-'));
    const places = ['--listen=127.0.0.1:0', '--metrics-listen=127.0.0.1:0', `--data-dir=${join(folder, 'data')}`];
    const child = spawn(binary, ['serve', ...places, ...NO_LIMITS, ...flags], {
      cwd: folder,
      env: Object.fromEntries(Object.entries(process.env).filter(([name]) => !SETTINGS.test(name))),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const log: string[] = [];
    const ready = await new Promise<{ url: string; metrics: string }>((resolve, reject) => {
      const read = (line: string) => {
        log.push(line);
        if (line.includes('"event":"ready"')) resolve(JSON.parse(line));
        // A panic is to be seen at the end, however long ago it was.
        if (log.length > LINES_KEPT && !log[0]?.includes('panicked')) log.shift();
      };
      createInterface(child.stdout).on('line', read);
      createInterface(child.stderr).on('line', read);
      child.once('error', reject);
      child.once('exit', (status) => reject(new Error(`the server ended with ${status}:\n${log.join('\n')}`)));
    }).catch(async (error) => {
      await rm(folder, { recursive: true });
      throw error;
    });
    // A test run that is broken off takes it along.
    process.once('exit', () => child.kill('SIGKILL'));
    return new Program(child, folder, log, ready);
  }

  async refreshes(): Promise<Refreshes> {
    const metrics = await (await fetch(this.#metrics)).text();
    const count = (outcome: string) =>
      Number(metrics.match(new RegExp(`^vestibule_refreshes_total\\{outcome="${outcome}"\\} (\\d+)$`, 'm'))?.[1] ?? 0);
    return { succeeded: count('succeeded'), refused: count('refused'), reused: count('reused') };
  }

  /** Ends it as an operator would. That it ended badly, or by itself, or has panicked, is an error. */
  async stop(): Promise<void> {
    const ended = this.#process.exitCode === null ? once(this.#process, 'exit') : null;
    this.#process.kill('SIGTERM');
    const status = ended ? (await ended)[0] : `${this.#process.exitCode} by itself`;
    await rm(this.#folder, { recursive: true });
    if (status !== 0 || this.#log.some((line) => line.includes('panicked')))
      throw new Error(`the server ended with ${status}:\n${this.#log.join('\n')}`);
  }
}
