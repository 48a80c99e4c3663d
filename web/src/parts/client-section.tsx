/**
 * Which address the server takes for that of whoever looks: behind a proxy that it does not trust, that is the proxy's.
 */

import { type ClientSeen, useClient } from '../lib/admin.ts';
import { Setting } from '../ui/setting.tsx';
import { adminWords } from '../words/admin.ts';
import { Fact } from './fact.tsx';

export function ClientSection() {
  const words = adminWords();
  const { data } = useClient();
  if (!data) return null;
  return (
    <Setting id="client" title={words.client} about={words.clientAbout}>
      <dl className="facts">
        <Fact name={words.clientAddress} value={data.address} />
        <Fact name={words.connection} value={data.connection} />
        <Fact name={words.trustedProxy} value={data.trusted ? words.yes : words.no} />
        <Fact name={words.forwardingHeaders} value={data.headers.join(', ') || words.noHeaders} />
      </dl>
      <p>{verdict(data)}</p>
    </Setting>
  );
}

function verdict({ address, connection, trusted, ignored }: ClientSeen): string {
  const words = adminWords();
  if (ignored) return words.headersIgnored(connection);
  if (!trusted) return words.noProxy;
  return address === connection ? words.proxyIsSilent : words.proxyIsBelieved;
}
