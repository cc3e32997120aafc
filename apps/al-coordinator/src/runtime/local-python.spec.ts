/** Which Python is taken, what is installed where none fits, and what is said when nothing works. */
import { type CommandResult, prepareLocalPython, type PythonHost } from './local-python.js';

const OK = (stdout = ''): CommandResult => ({ code: 0, stdout, stderr: '' });
const NO = (stderr = 'no'): CommandResult => ({ code: 1, stdout: '', stderr });

/** A machine where the listed commands answer as given and every other one fails. Keys are beginnings of command lines. */
class ScriptedHost implements PythonHost {
  home = '/h/al-python';
  fixed?: string;
  isRoot = false;
  readonly ran: string[] = [];
  readonly removed: string[] = [];
  published = false;

  constructor(private readonly answers: Record<string, CommandResult | (() => CommandResult)>) {}

  async run(command: string, args: string[]): Promise<CommandResult> {
    const line = [command, ...args].join(' ');
    this.ran.push(line);
    const found = Object.entries(this.answers).find(([start]) => line.startsWith(start))?.[1] ?? NO('not found');
    return typeof found === 'function' ? found() : found;
  }
  async publish(): Promise<boolean> {
    this.published = true;
    return true;
  }
  async remove(path: string): Promise<void> {
    this.removed.push(path);
  }
  aside(): string {
    return '/h/al-python.1';
  }
}

const prepare = async (host: ScriptedHost): Promise<{ python: string; notes: string[] }> => {
  const notes: string[] = [];
  return { python: await prepareLocalPython(host, (text) => notes.push(text)), notes };
};

describe('prepareLocalPython', () => {
  it('takes what was prepared before and looks no further', async () => {
    const host = new ScriptedHost({ '/h/al-python/bin/python -c': OK('/h/al-python/bin/python\n') });
    expect(await prepare(host)).toEqual({ python: '/h/al-python/bin/python', notes: [] });
    expect(host.ran).toHaveLength(1);
  });

  it("prefers the system's own python3 to another one first on the path, and installs nothing", async () => {
    const host = new ScriptedHost({ '/usr/bin/python3 -c': OK('/usr/bin/python3\n'), 'python3 -c': NO('ModuleNotFoundError') });
    expect(await prepare(host)).toEqual({ python: '/usr/bin/python3', notes: [] });
  });

  it('fills a virtual environment aside, then publishes it', async () => {
    const host: ScriptedHost = new ScriptedHost({
      '/h/al-python/bin/python -c': () => (host.published ? OK('/h/al-python/bin/python\n') : NO()),
      'python3 -m venv /h/al-python.1': OK(),
      '/h/al-python.1/bin/python -m pip install': OK(),
    });
    const { python, notes } = await prepare(host);
    expect(python).toBe('/h/al-python/bin/python');
    expect(notes).toEqual([expect.stringMatching(/virtual environment with scikit-learn==/)]);
    expect(host.removed).toEqual(['/h/al-python.1']);
  });

  it.each([
    ['root', true, 'env DEBIAN_FRONTEND=noninteractive apt-get'],
    ['sudo without a password', false, 'sudo -n env DEBIAN_FRONTEND=noninteractive apt-get'],
  ])("goes on to Debian's packages as %s where pip has nothing", async (_, isRoot, apt) => {
    let installed = false;
    const host = new ScriptedHost({
      '/usr/bin/python3 -c': () => (installed ? OK('/usr/bin/python3\n') : NO()),
      'python3 -m venv': OK(),
      'apt-get --version': OK(),
      'sudo -n true': OK(),
      [`${apt} -o DPkg::Lock::Timeout=300 -qq update`]: OK(),
      [`${apt} -o DPkg::Lock::Timeout=300 -qq install -y`]: () => {
        installed = true;
        return OK();
      },
    });
    host.isRoot = isRoot;
    const { python, notes } = await prepare(host);
    expect(python).toBe('/usr/bin/python3');
    expect(notes).toContain('pip failed: not found');
    expect(host.removed).toEqual(['/h/al-python.1']);
  });

  it.each<[string, Record<string, CommandResult>, RegExp]>([
    ['there is no apt', {}, /this is no Debian.*Install python3-sklearn and python3-joblib, or set WEFT_AL_PYTHON/],
    ['there is no way to be root', { 'apt-get --version': OK() }, /needs root or sudo without a password/],
    ['apt fails', { 'apt-get --version': OK(), 'sudo -n true': OK(), 'sudo -n env': NO('E: no network') }, /apt-get failed: E: no network/],
  ])('says what to do where %s', async (_, answers, message) => {
    await expect(prepare(new ScriptedHost(answers))).rejects.toThrow(message);
  });

  it("insists on the operator's choice", async () => {
    const host = new ScriptedHost({ '/usr/bin/python3 -c': OK('/usr/bin/python3\n') });
    host.fixed = '/opt/python';
    await expect(prepare(host)).rejects.toThrow('/opt/python has no scikit-learn and joblib');
    expect(host.ran).toHaveLength(1);
  });
});
