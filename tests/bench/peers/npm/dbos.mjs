// DBOS: workflows of durable steps on PostgreSQL, all at once.
//
//     node dbos.mjs PORT WORKFLOWS STEPS
//
// Prints {"steps", "seconds"}.
import './node20.mjs';
import { DBOS } from '@dbos-inc/dbos-sdk';

const [port, workflows, steps] = process.argv.slice(2).map(Number);
const film = DBOS.registerWorkflow(
  async (count) => {
    for (let i = 0; i < count; i++) {
      await DBOS.runStep(async () => i, { name: 'step' });
    }
    return count;
  },
  { name: 'film' },
);
DBOS.setConfig({
  name: 'bench',
  systemDatabaseUrl: `postgresql://postgres@127.0.0.1:${port}/dbos`,
  systemDatabasePoolSize: 20,
  logLevel: 'error',
  runAdminServer: false,
});
await DBOS.launch();
await film(10);

const begin = performance.now();
const counts = await Promise.all(
  Array.from({ length: workflows }, () => film(steps)),
);
const seconds = (performance.now() - begin) / 1000;
if (counts.some((count) => count !== steps)) throw new Error(`steps: ${counts}`);
await DBOS.shutdown();
console.log(JSON.stringify({ steps: workflows * steps, seconds }));
process.exit(0);
