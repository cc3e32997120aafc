/** Named safety properties: the first that a history breaks is what the history is remembered for. */

export class PropertyViolation<Name extends string = string> extends Error {
  override readonly name = 'PropertyViolation';
  constructor(
    readonly property: Name,
    readonly detail: string,
  ) {
    super(`${property}: ${detail}`);
  }
}

export class Properties<Name extends string> {
  violation: PropertyViolation<Name> | undefined;

  violate(property: Name, detail: string): void {
    this.violation ??= new PropertyViolation(property, detail);
  }

  /** @throws PropertyViolation */
  check(): void {
    if (this.violation) throw this.violation;
  }
}
