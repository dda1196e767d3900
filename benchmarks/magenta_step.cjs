// Time of one step of magenta.js's MusicRNN, in plain Node, in microseconds.
//
//   npm install @magenta/music@1.23.1 --prefix SOMEWHERE --ignore-scripts
//   NODE_PATH=SOMEWHERE/node_modules node magenta_step.cjs [HIDDEN]
//
// The network has the size of basic_rnn's little sister (2x128 unless HIDDEN says otherwise, 38
// classes) and random weights, served to it over HTTP as a checkpoint: that is how it loads one.

const http = require("http");

const hidden = Number(process.argv[2] || 128);
const classes = 38;
const steps = hidden > 256 ? 64 : 256;
console.log = () => {}; // the library reports progress there
console.warn = () => {};

function checkpoint() {
  const weights = [
    { name: "fully_connected/weights", shape: [hidden, classes] },
    { name: "fully_connected/biases", shape: [classes] },
  ];
  for (let layer = 0; layer < 2; layer++) {
    const cell = `rnn/multi_rnn_cell/cell_${layer}/basic_lstm_cell/`;
    const below = layer === 0 ? classes : hidden;
    weights.push({ name: `${cell}kernel`, shape: [below + hidden, 4 * hidden] });
    weights.push({ name: `${cell}bias`, shape: [4 * hidden] });
  }
  const size = weights.reduce((sum, w) => sum + w.shape.reduce((a, b) => a * b), 0);
  const values = new Float32Array(size);
  let state = 1;
  for (let i = 0; i < size; i++) {
    state = (state * 48271) % 2147483647; // any numbers will do
    values[i] = (state / 2147483647 - 0.5) / Math.sqrt(hidden);
  }
  const manifest = [
    { paths: ["weights"], weights: weights.map((w) => ({ ...w, dtype: "float32" })) },
  ];
  return {
    "/weights_manifest.json": JSON.stringify(manifest),
    "/weights": Buffer.from(values.buffer),
    "/config.json": JSON.stringify({
      type: "MusicRNN",
      dataConverter: { type: "MelodyConverter", args: { minPitch: 48, maxPitch: 83 } },
    }),
  };
}

async function main() {
  const files = checkpoint();
  const server = http.createServer((request, response) => {
    response.writeHead(files[request.url] ? 200 : 404);
    response.end(files[request.url]);
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const { MusicRNN } = require("@magenta/music/node/music_rnn");
  const model = new MusicRNN(`http://127.0.0.1:${server.address().port}`);
  await model.initialize();
  const primer = {
    notes: [{ pitch: 60, quantizedStartStep: 0, quantizedEndStep: 1 }],
    totalQuantizedSteps: 1,
    quantizationInfo: { stepsPerQuarter: 4 },
  };
  const times = [];
  for (let run = 0; run < 7; run++) {
    const start = process.hrtime.bigint();
    await model.continueSequence(primer, steps, 1.0);
    times.push(Number(process.hrtime.bigint() - start) / 1000 / steps);
  }
  times.sort((a, b) => a - b);
  process.stdout.write(JSON.stringify({ best: times[0], median: times[3] }) + "\n");
  server.close();
  process.exit(0);
}

main().catch((error) => {
  process.stderr.write(`${error}\n`);
  process.exit(1);
});
