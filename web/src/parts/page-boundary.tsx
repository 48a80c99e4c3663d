/**
 * Stands in for a page that broke, or could not be loaded because the network was gone: an empty window would say
 * nothing. The next page is another try.
 */

import { AuthError } from '@vestibule/client';
import { Component, type ReactNode } from 'react';
import { explain } from '../lib/explain.ts';
import { useFocusOnArrival } from '../lib/focus.ts';
import { Button } from '../ui/button.tsx';
import { commonWords } from '../words/common.ts';
import { entranceWords } from '../words/entrance.ts';
import { Entrance } from './entrance.tsx';

interface PageBoundaryProps {
  /** The path of the page that is shown. */
  path: string;
  children: ReactNode;
}

interface Failure {
  error: unknown;
  path: string;
}

export class PageBoundary extends Component<PageBoundaryProps, { failure: Failure | null }> {
  override state: { failure: Failure | null } = { failure: null };

  override componentDidCatch(error: unknown) {
    this.setState({ failure: { error, path: this.props.path } });
  }

  override render() {
    const { failure } = this.state;
    return failure?.path === this.props.path ? <Broken error={failure.error} /> : this.props.children;
  }
}

/** What browsers say, each in its own words, where a script of the page could not be fetched. */
const NOT_LOADED = /dynamically imported module|importing a module script/i;

function Broken({ error }: { error: unknown }) {
  const words = entranceWords();
  const heading = useFocusOnArrival<HTMLHeadingElement>();
  const isLost = error instanceof Error && NOT_LOADED.test(error.message);
  const { summary } = explain(isLost ? new AuthError('network_error', error.message) : error, []);
  return (
    <Entrance>
      <h1 ref={heading} tabIndex={-1}>
        {isLost ? words.nobodyAnswers : words.pageBroke}
      </h1>
      <p className="lead">{summary}</p>
      {/* A browser asks again for what it could not fetch only in a new document. */}
      <Button onClick={() => window.location.reload()}>{commonWords().tryAgain}</Button>
    </Entrance>
  );
}
