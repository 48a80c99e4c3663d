/**
 * What the server says about itself in the head of the page: the site's name and its protected areas.
 */

/** The name that operators give their site; the product's own where they give none. */
export function siteName(): string {
  return contentOf('vestibule-name') || 'Vestibule';
}

/** Paths of the site that need a login, for example `/members/`. Empty where the server names none. */
export function protectedAreas(): string[] {
  return contentOf('vestibule-areas')
    .split(/\s+/)
    .filter((path) => path.startsWith('/'));
}

function contentOf(name: string): string {
  return document.querySelector<HTMLMetaElement>(`meta[name="${name}"]`)?.content.trim() ?? '';
}
