// Restate: workflows of durable steps, all at once, called over the server's
// ingress.
//
//     node restate.mjs INGRESS_PORT ADMIN_PORT SERVICE_PORT WORKFLOWS STEPS
//
// Prints {"steps", "seconds"}.
import './node20.mjs';
import http from 'node:http';
import http2 from 'node:http2';
import * as restate from '@restatedev/restate-sdk';

const [ingressPort, adminPort, servicePort, workflows, steps] = process.argv
  .slice(2)
  .map(Number);

const film = restate.workflow({
  name: 'film',
  handlers: {
    run: async (context, count) => {
      for (let i = 0; i < count; i++) await context.run('step', () => i);
      return count;
    },
  },
});
const endpoint = http2.createServer(
  restate.createEndpointHandler({ services: [film] }),
);
await new Promise((resolve) => endpoint.listen(servicePort, '127.0.0.1', resolve));

const agent = new http.Agent({ keepAlive: true, maxSockets: workflows });

function post(port, path, body) {
  return new Promise((resolve, reject) => {
    const request = http.request(
      {
        agent,
        host: '127.0.0.1',
        port,
        path,
        method: 'POST',
        headers: { 'content-type': 'application/json' },
      },
      (response) => {
        let text = '';
        response.on('data', (data) => (text += data));
        response.on('end', () => {
          if (response.statusCode < 300) return resolve(text);
          reject(new Error(`${path}: ${response.statusCode} ${text}`));
        });
      },
    );
    request.on('error', reject);
    request.end(JSON.stringify(body));
  });
}

await post(adminPort, '/deployments', {
  uri: `http://127.0.0.1:${servicePort}`,
  force: true,
});
const id = Date.now();
const run = (name, count) => post(ingressPort, `/film/${id}-${name}/run`, count);
await run('first', 1);

const begin = performance.now();
const counts = await Promise.all(
  Array.from({ length: workflows }, (_, i) => run(i, steps)),
);
const seconds = (performance.now() - begin) / 1000;
if (counts.some((count) => Number(count) !== steps)) {
  throw new Error(`steps: ${counts}`);
}
console.log(JSON.stringify({ steps: workflows * steps, seconds }));
process.exit(0);
