/**
 * A file that a page holds, handed over to be kept.
 */

/** Some browsers begin to read a file only a moment after they were told to keep it. */
const KEPT_FOR_MILLISECONDS = 60_000;

/** Has the browser save `file` as it saves a download. */
export function saveFile(file: Blob, name: string): void {
  const href = URL.createObjectURL(file);
  Object.assign(document.createElement('a'), { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), KEPT_FOR_MILLISECONDS);
}
