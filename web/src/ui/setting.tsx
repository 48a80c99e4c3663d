/**
 * A section of a page of settings: what it is about on one side, what there is to do on the other.
 */

import type { ReactNode } from 'react';

interface SettingProps {
  /** The id of the heading, which names the section and takes the focus when what had it is gone. */
  id: string;
  title: string;
  about: ReactNode;
  children: ReactNode;
}

export function Setting({ id, title, about, children }: SettingProps) {
  return (
    <section className="setting" aria-labelledby={id}>
      <div className="setting-about">
        <h2 id={id} tabIndex={-1}>
          {title}
        </h2>
        <p>{about}</p>
      </div>
      <div className="setting-body">{children}</div>
    </section>
  );
}
