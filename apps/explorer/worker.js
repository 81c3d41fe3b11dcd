// A worker: an instance of the library and the questions that are put to it, one after the other.
// The page puts the module's glue before this text. In: {wasm} once, then {id, request}; out: {ready}, {id, answer,
// ms}, or {failed} where the browser can't run the module.

let ask;

async function start(wasm) {
  const module = await loradyn_module({ wasmBinary: wasm });
  ask = (request) => {
    const size = module.lengthBytesUTF8(request) + 1;
    const text = module._malloc(size);
    module.stringToUTF8(request, text, size);
    try {
      return module.UTF8ToString(module._explorer_answer(text));
    } finally {
      module._free(text);
    }
  };
}

onmessage = async ({ data }) => {
  if (data.wasm) {
    try {
      await start(data.wasm);
      postMessage({ ready: true });
    } catch (fault) {
      postMessage({ failed: String(fault) });
    }
    return;
  }
  const began = performance.now();
  try {
    const answer = JSON.parse(ask(data.request));
    postMessage({ id: data.id, answer, ms: performance.now() - began });
  } catch (fault) {
    // Memory that ran out: the instance can't be trusted any more, the page starts another.
    postMessage({ id: data.id, answer: { error: String(fault) }, broken: true, ms: performance.now() - began });
  }
};
