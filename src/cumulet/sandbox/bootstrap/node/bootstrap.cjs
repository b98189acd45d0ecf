// The Node.js runtime of a function: asks for invocations, calls the handler, gives its answer.
//
// No dependencies. Runs inside the sandbox, as its first program. It speaks the Runtime API over the Unix socket named by
// CUMULET_RUNTIME_SOCKET, else over TCP as AWS_LAMBDA_RUNTIME_API says. After each invocation it prints one record
// separator and the request id, so that the reader knows that it has read all of the log before it hands the answer on.
'use strict';

const fs = require('fs');
const net = require('net');
const path = require('path');
const url = require('url');
const util = require('util');

const PREFIX = '/2018-06-01/runtime/';
const TASK = process.env.LAMBDA_TASK_ROOT;

class Wire {
  constructor() {
    const socketPath = process.env.CUMULET_RUNTIME_SOCKET;
    delete process.env.CUMULET_RUNTIME_SOCKET;
    if (socketPath) {
      this.host = 'localhost';
      this.socket = net.connect(socketPath);
    } else {
      this.host = process.env.AWS_LAMBDA_RUNTIME_API;
      const [name, port] = this.host.split(':');
      this.socket = net.connect(Number(port || 80), name);
      this.socket.setNoDelay(true);
    }
    this.buffer = Buffer.alloc(0);
    this.waiting = [];
    this.socket.on('data', (data) => {
      this.buffer = this.buffer.length ? Buffer.concat([this.buffer, data]) : data;
      this.read();
    });
    this.socket.on('error', () => process.exit(0));
    this.socket.on('close', () => process.exit(0));
  }

  // Answers come in the order of the requests.
  read() {
    for (;;) {
      const end = this.buffer.indexOf('\r\n\r\n');
      if (end < 0) return;
      const fields = {};
      for (const line of this.buffer.toString('latin1', 0, end).split('\r\n').slice(1)) {
        const colon = line.indexOf(':');
        fields[line.slice(0, colon).trim().toLowerCase()] = line.slice(colon + 1).trim();
      }
      const length = Number(fields['content-length'] || 0);
      if (this.buffer.length < end + 4 + length) return;
      const body = this.buffer.subarray(end + 4, end + 4 + length);
      this.buffer = this.buffer.subarray(end + 4 + length);
      this.waiting.shift()(fields, body);
    }
  }

  get(target, done) {
    this.waiting.push(done);
    this.socket.write(`GET ${PREFIX}${target} HTTP/1.1\r\nHost: ${this.host}\r\n\r\n`);
  }

  post(target, body, kind, done) {
    this.waiting.push(done);
    const data = Buffer.from(body);
    const type = kind ? `Lambda-Runtime-Function-Error-Type: ${kind.replace(/[^\x20-\x7e]/g, '?')}\r\n` : '';
    const head =
      `POST ${PREFIX}${target} HTTP/1.1\r\nHost: ${this.host}\r\nContent-Type: application/json\r\n${type}` +
      `Content-Length: ${data.length}\r\n\r\n`;
    this.socket.write(Buffer.concat([Buffer.from(head, 'latin1'), data]));
  }
}

// -- the log

let requestId;

function print(text) {
  const data = Buffer.from(text);
  let from = 0;
  while (from < data.length) {
    try {
      from += fs.writeSync(1, data, from);
    } catch (error) {
      if (error.code !== 'EAGAIN') return;
    }
  }
}

function line(level, text) {
  print(`${new Date().toISOString()}\t${requestId || 'undefined'}\t${level}\t${text.replace(/\n/g, '\r')}\n`);
}

for (const [method, level] of [
  ['log', 'INFO'], ['info', 'INFO'], ['debug', 'DEBUG'], ['warn', 'WARN'], ['error', 'ERROR'], ['trace', 'TRACE'],
]) {
  console[method] = (...args) => line(level, util.format(...args));
}
console.fatal = (...args) => line('FATAL', util.format(...args));

// -- errors

class Fault extends Error {
  constructor(name, message) {
    super(message);
    this.name = name;
  }
}

function isError(value) {
  return value instanceof Error || Object.prototype.toString.call(value) === '[object Error]';
}

// Where there is no sandbox, the code does not lie at /var/task: show it as if it did.
function shown(stack) {
  return TASK === '/var/task' ? stack : stack.split(real(TASK)).join('/var/task').split(TASK).join('/var/task');
}

function real(folder) {
  try {
    return fs.realpathSync(folder);
  } catch (error) {
    return folder;
  }
}

function payloadOf(error) {
  if (!isError(error)) {
    return { errorType: typeof error, errorMessage: error === undefined || error === null ? String(error) : error.toString(), trace: [] };
  }
  const trace = shown(error.stack || '').split('\n');
  return { errorType: error.name, errorMessage: error.message, trace };
}

function logged(error) {
  if (!isError(error)) return JSON.stringify(payloadOf(error));
  const extra = {};
  for (const key of Object.keys(error)) extra[key] = error[key];
  const record = { errorType: error.name, errorMessage: error.message, ...extra, stack: shown(error.stack || '').split('\n') };
  try {
    return JSON.stringify(record);
  } catch (problem) {
    return JSON.stringify(payloadOf(error));
  }
}

// -- the handler

async function load(name) {
  const base = path.basename(name);
  const dot = base.indexOf('.');
  if (name.includes('..') || dot < 1) throw new Fault('Runtime.MalformedHandlerName', 'Bad handler');
  const file = path.resolve(TASK, path.dirname(name), base.slice(0, dot));
  const found = await importFile(file);
  const handler = base.slice(dot + 1).split('.').reduce((value, key) => (value === undefined ? undefined : value[key]), found);
  if (handler === undefined || handler === null) throw new Fault('Runtime.HandlerNotFound', `${name} is undefined or not exported`);
  if (typeof handler !== 'function') throw new Fault('Runtime.HandlerNotFound', `${name} is not a function`);
  return handler;
}

async function importFile(file) {
  try {
    if (isModule(file)) {
      const place = ['.js', '.mjs'].map((end) => file + end).find((name) => fs.existsSync(name));
      const found = await import(url.pathToFileURL(place).href);
      return found;
    }
    return require(['', '.js', '.cjs'].map((end) => file + end).find((name) => fs.existsSync(name) && fs.statSync(name).isFile()) || file);
  } catch (error) {
    if (error instanceof SyntaxError) throw renamed('Runtime.UserCodeSyntaxError', error);
    if (error && ['MODULE_NOT_FOUND', 'ERR_MODULE_NOT_FOUND'].includes(error.code)) {
      throw renamed('Runtime.ImportModuleError', error);
    }
    throw error;
  }
}

function renamed(name, error) {
  const fault = new Fault(name, String(error));
  const places = (error.stack || '').split('\n').filter((text) => text.startsWith('    at '));
  fault.stack = [`${name}: ${fault.message}`, ...places].join('\n');
  return fault;
}

function isModule(file) {
  if (fs.existsSync(file + '.mjs') && !fs.existsSync(file + '.js')) return true;
  if (!fs.existsSync(file + '.js')) return false;
  for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
    const description = path.join(folder, 'package.json');
    if (fs.existsSync(description)) {
      try {
        return JSON.parse(fs.readFileSync(description, 'utf8')).type === 'module';
      } catch (error) {
        return false;
      }
    }
    if (folder === path.dirname(folder) || folder === TASK) return false;
  }
}

// -- one invocation

const wire = new Wire();
let open = null; // the invocation that has no answer yet

function next() {
  requestId = undefined;
  wire.socket.ref();
  wire.get('invocation/next', begin);
}

function finish(invocation, target, body, kind) {
  if (open !== invocation) return;
  open = null;
  print(`\x1e${invocation.id}\n`);
  wire.post(`invocation/${invocation.id}/${target}`, body, kind, () => {});
  next();
}

function succeed(invocation, value) {
  let body;
  try {
    body = JSON.stringify(value === undefined ? null : value);
    if (body === undefined) body = 'null';
  } catch (error) {
    fail(invocation, new Fault('Runtime.MarshalError', `Unable to stringify response body: ${error.message}`));
    return;
  }
  finish(invocation, 'response', body);
}

function fail(invocation, error) {
  if (open !== invocation) return;
  line('ERROR', `Invoke Error \t${logged(error)}`);
  const problem = payloadOf(error);
  finish(invocation, 'error', JSON.stringify(problem), problem.errorType);
}

function contextOf(invocation, fields, settle) {
  const deadline = Number(fields['lambda-runtime-deadline-ms']);
  const parsed = (name) => (fields[name] ? JSON.parse(fields[name]) : undefined);
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: parsed('lambda-runtime-client-context'),
    identity: parsed('lambda-runtime-cognito-identity'),
    invokedFunctionArn: fields['lambda-runtime-invoked-function-arn'],
    awsRequestId: invocation.id,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
    done: (error, value) => settle(error, value, false),
    succeed: (value) => settle(null, value, false),
    fail: (error) => settle(error === undefined || error === null ? 'handled' : error, undefined, false),
  };
}

function begin(fields, body) {
  const invocation = { id: fields['lambda-runtime-aws-request-id'], settled: null };
  open = invocation;
  requestId = invocation.id;
  process.env._X_AMZN_TRACE_ID = fields['lambda-runtime-trace-id'] || '';
  wire.socket.unref(); // so that the event loop can become empty while the handler works
  let context;
  const settle = (error, value, wait) => {
    if (open !== invocation || invocation.settled) return;
    invocation.settled = () => (error !== null && error !== undefined ? fail(invocation, error) : succeed(invocation, value));
    if (!wait || !context.callbackWaitsForEmptyEventLoop || (error !== null && error !== undefined)) invocation.settled();
  };
  try {
    context = contextOf(invocation, fields, settle);
    const event = JSON.parse(body.toString('utf8'));
    const result = handler(event, context, (error, value) => settle(error, value, true));
    if (result && typeof result.then === 'function') {
      result.then((value) => succeed(invocation, value), (error) => fail(invocation, error));
    }
  } catch (error) {
    fail(invocation, error);
  }
}

// The event loop is empty: what a callback gave is the answer, and null where nothing was given.
process.on('beforeExit', () => {
  if (!open) return;
  const { settled } = open;
  if (settled) settled();
  else succeed(open, null);
});

function die(error, status) {
  const problem = payloadOf(error);
  const target = open ? `invocation/${open.id}/error` : 'init/error';
  if (open) print(`\x1e${open.id}\n`);
  open = null;
  wire.socket.ref();
  wire.post(target, JSON.stringify(problem), problem.errorType, () => process.exit(status));
}

process.on('uncaughtException', (error) => {
  line('ERROR', `Uncaught Exception \t${logged(error)}`);
  die(error, 129);
});

process.on('unhandledRejection', (reason) => {
  const fault = new Fault('Runtime.UnhandledPromiseRejection', isError(reason) ? String(reason) : util.inspect(reason));
  fault.stack = isError(reason) ? `${fault.name}: ${fault.message}\n${(reason.stack || '').split('\n').slice(1).join('\n')}` : fault.stack;
  line('ERROR', `Unhandled Promise Rejection \t${logged(fault)}`);
  die(fault, 128);
});

globalThis.awslambda = {
  streamifyResponse() {
    throw new Fault('Function.StreamingNotImplemented', 'Cumulet does not carry out response streaming yet');
  },
};

let handler;
load(process.env._HANDLER).then(
  (found) => {
    handler = found;
    next();
  },
  (error) => {
    line('ERROR', `Uncaught Exception \t${logged(error)}`);
    die(error, 1);
  },
);
