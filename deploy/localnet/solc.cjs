// Runs the WebAssembly Solidity compiler: argv[2] is soljson.js, standard-JSON input on stdin, its output on stdout.
// All sources are in the input, so no import callback is needed.
const compiler = require(process.argv[2]);
const compile = compiler.cwrap("solidity_compile", "string", ["string", "number", "number"]);
let input = "";
process.stdin.setEncoding("utf8");
process.stdin.on("data", (chunk) => (input += chunk));
process.stdin.on("end", () => process.stdout.write(compile(input, 0, 0)));
