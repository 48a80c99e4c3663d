/**
 * What the server says about itself in the head of the page: the site's name and picture, and its protected areas.
 */

/** The name that operators give their site; the product's own where they give none. */
export function siteName(): string {
  return contentOf('vestibule-name') || 'Vestibule';
}

/** The address of the picture that operators give their site in place of our mark, or `null` where they give none. */
export function siteLogo(): string | null {
  return contentOf('vestibule-logo') || null;
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
