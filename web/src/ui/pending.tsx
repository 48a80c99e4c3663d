/**
 * Stands in for a page that is on its way. The style sheet shows it only after a while, so a fast answer never flashes.
 */

export function Pending() {
  return (
    <main className="pending">
      <p role="status">One moment…</p>
    </main>
  );
}
