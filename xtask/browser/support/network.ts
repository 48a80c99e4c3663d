/**
 * A network between browser and server that loses answers: the request has arrived and is done, and nobody is told.
 * Which answers are lost is up to the tests.
 */

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** How an answer is lost: all of it, or but for its beginning. */
export type Loss = 'all' | 'all but its head';

export class Network {
  readonly #server: Server;
  /** Leads to the server. */
  readonly url: string;
  /** Answers that were lost so far. */
  lost = 0;

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** `loses` is asked about each request when the server has answered it, and says how the answer is lost, if it is. */
  static async before(url: string, loses: (request: IncomingMessage) => Loss | null): Promise<Network> {
    const server = createServer(async (request, response) => {
      const { method = 'GET', headers } = request;
      const forwarded = send(new URL(request.url ?? '/', url), { method, headers, agent: false });
      forwarded.end(await buffer(request));
      const [answer] = (await once(forwarded, 'response')) as [IncomingMessage];
      const body = await buffer(answer);
      const loss = loses(request);
      if (loss) network.lost += 1;
      if (loss === 'all') return void request.socket.destroy();
      // On a connection that was used before, a browser would send a lost request again by itself and tell nobody.
      response.writeHead(answer.statusCode ?? 502, { ...answer.headers, connection: 'close' });
      if (loss) response.write(body.subarray(0, body.length / 2), () => request.socket.destroy());
      else response.end(body);
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const network = new Network(server);
    return network;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await once(this.#server.close(), 'close');
  }
}
