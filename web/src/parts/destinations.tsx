/**
 * Where a member can go from the dashboard: the page asked for before, the protected areas, the front page.
 */

import { ArrowRight } from 'lucide-react';
import { useSearch } from 'wouter';
import { protectedAreas } from '../lib/branding.ts';
import { nextFrom } from '../lib/next.ts';
import { dashboardWords } from '../words/dashboard.ts';

export function Destinations() {
  const words = dashboardWords();
  const next = nextFrom(useSearch());
  const places = new Map(protectedAreas().map((path) => [path, titleOf(path)]));
  if (next !== '/dashboard' && !places.has(next)) places.set(next, words.backToWhereYouWere);
  places.set('/', words.frontPage);
  return (
    <section aria-labelledby="where-to">
      <h2 id="where-to">{words.whereToGo}</h2>
      <ul className="doors">
        {[...places].map(([path, title]) => (
          <li key={path}>
            <a className="door" href={path}>
              <span className="door-title">{title}</span>
              <span className="door-path">{path}</span>
              <ArrowRight aria-hidden="true" size={20} />
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** `/members/price-list/` is read as "Price list". */
function titleOf(path: string): string {
  const words = path.split('/').filter(Boolean).at(-1)?.replaceAll(/[-_]+/g, ' ') ?? path;
  return words.charAt(0).toUpperCase() + words.slice(1);
}
