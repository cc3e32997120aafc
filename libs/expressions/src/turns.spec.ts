/** Whose turn it is: by counts and order, as a table and over generated requests. */
import fc from 'fast-check';
import { type ExpressionOwner, type OwnedEvaluation, type Turn, Turns } from './turns.js';

let nextId = 1;
const of = (name: string): ExpressionOwner => {
  const [project = '', run = ''] = name.split('/');
  return { project, run };
};
function asked(name: string): OwnedEvaluation {
  const nothing = (): void => undefined;
  return {
    ...{ id: nextId++, code: '(1)', inputsJson: '', selfJson: '', runtimeJson: '', library: [] },
    resolve: nothing,
    reject: nothing,
    drop: nothing,
    owner: of(name),
  };
}
const turnsOf = (names: readonly string[], options = { perProject: 2, batchSize: 4 }): Turns => {
  const turns = new Turns(options);
  for (const name of names) turns.add(asked(name));
  return turns;
};
const brief = (turn: Turn | undefined): string =>
  turn === undefined ? 'nothing' : `${turn.owner.project}/${turn.owner.run} ×${turn.evaluations.length}`;
const times = (count: number, name: string): string[] => Array.from({ length: count }, () => name);

describe('turns', () => {
  it('are of one run each, and go round projects, then runs', () => {
    const turns = turnsOf([...times(9, 'a/1'), 'a/2', 'b/1', 'a/2', 'c/1']);
    const seen: string[] = [];
    for (let turn = turns.take(); turn; turn = turns.take()) {
      seen.push(brief(turn));
      turns.end(turn);
    }
    expect(seen).toEqual(['a/1 ×4', 'b/1 ×1', 'c/1 ×1', 'a/2 ×2', 'a/1 ×4', 'a/1 ×1']);
    expect(turns.waiting).toBe(false);
  });

  it('leave a worker to others, however much one project asks for', () => {
    const turns = turnsOf(times(100, 'greedy/1'));
    expect([turns.take(), turns.take(), turns.take()].map(brief)).toEqual(['greedy/1 ×4', 'greedy/1 ×4', 'nothing']);
    expect([turns.waiting, turns.mayBegin]).toEqual([true, false]);
    turns.add(asked('other/1'));
    expect(turns.mayBegin).toBe(true);
    expect(brief(turns.take())).toBe('other/1 ×1');
  });

  it('what waits for one run is taken out, and nothing of others', () => {
    const turns = turnsOf([...times(3, 'a/1'), ...times(2, 'a/2'), ...times(2, 'b/1')]);
    expect(turns.remove(of('a/1')).map(({ owner }) => owner)).toEqual([of('a/1'), of('a/1'), of('a/1')]);
    expect([turns.remove(of('a/1')), turns.remove(of('c/1')), turns.remove(of('b/2'))]).toEqual([[], [], []]);
    expect([turns.take(), turns.take()].map(brief)).toEqual(['a/2 ×2', 'b/1 ×2']);
    turns.add(asked('d/1'));
    expect([turns.remove(of('d/1')).length, turns.waiting, turns.mayBegin]).toEqual([1, false, false]);
  });

  it('a slow run travels one evaluation at a time', () => {
    const turns = turnsOf([...times(3, 'a/slow'), ...times(3, 'a/quick')]);
    turns.wasSlow(of('a/slow'));
    expect([turns.take(), turns.take()].map(brief)).toEqual(['a/slow ×1', 'a/quick ×3']);
  });

  it('runs that have burnt a time limit hold one worker, all of them together, and their neighbours go on', () => {
    const turns = turnsOf([...times(3, 'a/burning'), ...times(3, 'b/burning'), 'a/sound', 'b/sound']);
    turns.hasBurnt(of('a/burning'));
    turns.hasBurnt(of('b/burning'));
    const first = turns.take();
    expect([first, turns.take(), turns.take(), turns.take()].map(brief)).toEqual(['a/burning ×1', 'b/sound ×1', 'a/sound ×1', 'nothing']);
    turns.end(first as Turn);
    expect(brief(turns.take())).toBe('b/burning ×1');
  });

  it('what a worker did not get to comes before what the run asked for since', () => {
    const turns = turnsOf(['a/1', 'a/1']);
    const turn = turns.take() as Turn;
    turns.add(asked('a/1'));
    turns.end(turn);
    turns.putBack(turn.evaluations);
    expect(turns.take()?.evaluations.slice(0, 2)).toEqual(turn.evaluations);
  });

  it('nobody holds more than is theirs, and everything comes to an end, in the order of its run', () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('add' as const), name: fc.constantFrom('a/1', 'a/2', 'b/1', 'b/2', 'c/1') }),
      fc.record({ do: fc.constantFrom('take' as const, 'end' as const, 'burn' as const, 'back' as const), pick: fc.nat() }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const turns = turnsOf([]);
        const out: Turn[] = [];
        const wanted = new Map<string, number[]>();
        const done = new Map<string, number[]>();
        const key = ({ project, run }: ExpressionOwner): string => `${project}/${run}`;
        const end = (turn: Turn): void => {
          turns.end(turn);
          done.set(key(turn.owner), [...(done.get(key(turn.owner)) ?? []), ...turn.evaluations.map(({ id }) => id)]);
        };
        for (const one of steps) {
          if (one.do === 'add') {
            const evaluation = asked(one.name);
            wanted.set(one.name, [...(wanted.get(one.name) ?? []), evaluation.id]);
            turns.add(evaluation);
            continue;
          }
          if (one.do === 'take') {
            const may = turns.mayBegin;
            const turn = turns.take();
            expect(turn !== undefined).toBe(may);
            if (turn) out.push(turn);
          }
          const [turn] = one.do === 'take' || out.length === 0 ? [] : out.splice(one.pick % out.length, 1);
          if (turn && one.do === 'burn') turns.hasBurnt(turn.owner);
          if (turn && one.do === 'back') {
            turns.end(turn);
            turns.putBack(turn.evaluations);
          } else if (turn) end(turn);
          for (const project of ['a', 'b', 'c']) expect(out.filter(({ owner }) => owner.project === project).length).toBeLessThanOrEqual(2);
          expect(out.filter(({ burning }) => burning).length).toBeLessThanOrEqual(1);
        }
        for (let turn = out.pop() ?? turns.take(); turn; turn = out.pop() ?? turns.take()) end(turn);
        expect(turns.waiting).toBe(false);
        for (const [name, ids] of wanted) expect([...(done.get(name) ?? [])].sort((x, y) => x - y)).toEqual(ids);
      }),
    );
  });
});
