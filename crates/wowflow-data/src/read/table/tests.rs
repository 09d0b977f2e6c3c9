use wowflow::dataset::{Label, LabeledDataset};

use super::*;
use crate::spec::DatasetSpec;

fn read_with(text: &[u8], options: &str) -> Result<(LabeledDataset, String), String> {
    let file = Path::new("t.csv");
    let spec: DatasetSpec =
        format!("t.csv{options}").parse().map_err(|error: DataError| error.to_string())?;
    parse(text, spec.table(), file, &Budget::default())
        .map(|parsed| (parsed.dataset, parsed.notes.join("; ")))
        .map_err(|error| error.to_string())
}

fn read(text: &str) -> Result<LabeledDataset, String> {
    read_with(text.as_bytes(), "").map(|(data, _)| data)
}

/// Two samples, (1, 2) of a cat and (3, 4) of a dog, or two of each.
fn is_cat_and_dog(text: &str) {
    let data = read(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let points = Points::F64([1.0, 2.0, 3.0, 4.0].repeat(data.len() / 2));
    assert_eq!(data.points(), &points, "{text}");
    assert_eq!(data.classes(), &["cat", "dog"].map(Label::from), "{text}");
}

#[test]
fn headers_and_label_columns() {
    for text in [
        "1,2,cat\n3,4,dog\n",
        "a,b,c\n1,2,cat\n3,4,dog\n",
        "\u{feff}Label,p0,p1\r\ncat, 1, 2\r\ndog, 3, 4\r\n",
        "0,1,class\n1,2,cat\n3,4,dog",
        "u\ty\tv\n1\tcat\t2\n3\tdog\t4\n",
        "u;v;w\n1;2;\"cat\"\n\n3;4;dog\n",
        "# u v w\n1 2 cat\n3 4 dog\n",
        "# made by hand\n# u,v,w\n1,2,cat\n# between\n3,4,dog\n",
        "  1   2  cat\n  3   4  dog\n",
        "u|v|species\n1|2|cat\n3|4|dog\n",
        "x,y,cluster\n1,2,cat\n3,4,dog\n",
        "x,y,z_name\n1,2,cat\n3,4,dog\n",
        "Unnamed: 0,x,y,kind\n0,1,2,cat\n1,3,4,dog\n",
        ",x,y,kind\n0,1,2,cat\n1,3,4,dog\n",
        "id,x,y,kind\nq17,1,2,cat\nq4,3,4,dog\n",
        "\"x\" \"y\" \"kind\"\n\"1\" 1 2 \"cat\"\n\"2\" 3 4 \"dog\"\n",
        "x,y,class,target\n1,2,cat,0\n3,4,dog,1\n",
        "x,y,species,species_id\n1,2,cat,7\n3,4,dog,5\n",
        "u;v;w\n1,0;2,0;cat\n3,0;4,0;dog\n",
        "x,y,Class Label\n1,2,cat\n3,4,dog\n",
        "filename,x,y,label\na.png,1,2,cat\nb.png,3,4,dog\n",
        "1e0,2.0,cat\n3,4,dog\n",
        "1,2,cat,\n3,4,dog,\n",
        "u,v,w,\n1,2,cat,\n3,4,dog,\n",
    ] {
        is_cat_and_dog(text);
    }
    // `y` as a label, not as a name.
    let data = read("1,2,y\n3,4,n\n").unwrap();
    assert_eq!((data.len(), data.class_count()), (2, 2));
    assert_eq!(read("1,2,0\n3,4,1.0\n").unwrap().classes(), &[Label::Int(0), Label::Int(1)]);
}

#[test]
fn decimal_commas_beside_one_column_of_text() {
    let data = read("-1,232;ant\n0,502;ant\n0,094;bee\n").unwrap();
    assert_eq!(data.points(), &Points::F64(vec![-1.232, 0.502, 0.094]));
    let data = read("1.5;a,b\n2.5;c\n").unwrap();
    assert_eq!(data.classes(), &["a,b", "c"].map(Label::from));
}

#[test]
fn labels_stand_at_either_end() {
    let ints = |text: &str| {
        let data = read(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        (data.classes().to_vec(), data.row(0))
    };
    let two = vec![Label::Int(0), Label::Int(1)];
    // As MNIST is passed around in CSV: the last pixels are black.
    assert_eq!(ints("0,7,200,0\n1,9,13,0\n0,255,8,0\n1,30,30,0\n"), (two.clone(), vec![7.0, 200.0, 0.0]));
    assert_eq!(ints("0,7,200,9\n1,9,13,8\n0,255,8,9\n1,30,30,9\n"), (two.clone(), vec![7.0, 200.0, 9.0]));
    assert_eq!(ints("0.5,1.25,0\n0.25,2,1\n1.5,7,0\n0.125,2,1\n"), (two.clone(), vec![0.5, 1.25]));
    assert_eq!(ints("0,0.5,1.25\n1,0.25,2\n0,1.5,7\n1,3,0.5\n"), (two.clone(), vec![0.5, 1.25]));
    // Numbers as numpy and pandas write them, and as names of columns.
    assert_eq!(ints("1.5e+00 0.000e+00\n2.5e+00 1.000e+00\n"), (two.clone(), vec![1.5]));
    assert_eq!(ints("0,1,2\n0.5,1.5,0\n2.5,3.5,1\n0.5,1,1\n"), (two.clone(), vec![0.5, 1.5]));
    assert_eq!(
        ints("1990,1991,1992,1993,label\n1,2,3,4,0\n3,2,1,0,1\n"),
        (two.clone(), vec![1.0, 2.0, 3.0, 4.0])
    );
    assert_eq!(ints("labels,a,b\n0,1.5,2\n1,2.5,3\n"), (two.clone(), vec![1.5, 2.0]));
    assert_eq!(ints("# label,a,b\n0.000,1.5,2\n1.000,2.5,3\n"), (two, vec![1.5, 2.0]));
}

#[test]
fn what_is_unclear_is_refused_with_the_choices() {
    let rows = |row: &str| [row; 4].concat();
    for (text, says) in [
        ("a,b,c\nx,1,u\ny,2,v\n".to_owned(), "[label=COLUMN]"),
        ("class,target,x\n0,1,2.5\n0,2,2.5\n1,1,0.5\n".to_owned(), "[label=COLUMN]"),
        ("kind,class,x\nu,1,2.5\nv,1,2.5\nu,2,0.5\n".to_owned(), "[drop=COLUMN+COLUMN]"),
        (rows("0,1,0\n1,0,1\n"), "[label=COLUMN]"),
        ("0.5,1.5\n2.5,3.5\n".to_owned(), "[label=COLUMN]"),
        ("0,0.5,0\n1,1.5,1\n2,0.5,0\n3,2.5,1\n".to_owned(), "[drop=1] or [drop=none]"),
        ("0,1,2\n5,3,1\n4,4,0\n3,0,1\n".to_owned(), "[header=yes] or [header=no]"),
        ("1,234;2,345;a\n3,456;4,567;b\n".to_owned(), "[decimal=comma]"),
        ("id,x,label\n3,1.5,a\n3,2.5,b\n".to_owned(), "[drop=COLUMN]"),
    ] {
        let error = read(&text).unwrap_err();
        assert!(error.contains(says) && !error.contains('\n'), "{text}: {error}");
    }
    for (text, options, classes, row) in [
        ("a,b,c\nx,1,u\ny,2,v\n", "[label=c,drop=a]", 2, vec![1.0]),
        ("a,b,c\nx,1,u\ny,2,v\n", "[label=3,drop=1]", 2, vec![1.0]),
        ("0.5,1\n2.5,1\n", "[label=1]", 0, vec![]),
        ("0,0.5,0\n1,1.5,1\n2,0.5,0\n3,2.5,1\n", "[drop=1]", 2, vec![0.5]),
        ("0,0.5,0\n1,1.5,1\n2,0.5,0\n3,2.5,1\n", "[drop=none]", 2, vec![0.0, 0.5]),
        ("0,1,2\n5,3,1\n4,4,0\n3,0,1\n", "[header=yes,label=2]", 2, vec![5.0, 3.0]),
        ("1,234;2,345;a\n3,456;4,567;b\n", "[decimal=comma]", 2, vec![1.234, 2.345]),
        ("1;2|a\n3;4|b\n", "[sep=pipe,drop=none]", 0, vec![]),
        ("5,6,a\n1,2,b\n", "[header=no,sep=,]", 2, vec![5.0, 6.0]),
    ] {
        match read_with(text.as_bytes(), options) {
            Ok((data, _)) => assert_eq!((data.class_count(), data.row(0)), (classes, row), "{text}{options}"),
            Err(error) => assert_eq!(classes, 0, "{text}{options}: {error}"),
        }
    }
    let error = read_with(b"a,b\n1,2\n", "[label=z]").unwrap_err();
    assert_eq!(error, "t.csv: expected a column `z`, found `a`, `b`");
    assert!(read_with(b"a,b\n1,2\n", "[lable=b]").unwrap_err().contains("expected in brackets label=COLUMN"));
}

#[test]
fn different_labels_stay_different_and_one_label_is_one() {
    let classes = |text: &[u8]| read_with(text, "").map(|(data, notes)| (data.classes().to_vec(), notes));
    let of = |names: &[&str]| names.iter().copied().map(Label::from).collect::<Vec<_>>();
    let table = |labels: &[&str]| -> String {
        labels.iter().map(|label| format!("0.5,{label}\n1.5,{label}\n")).collect()
    };
    let found = |labels: &[&str]| classes(table(labels).as_bytes()).unwrap().0;
    assert_eq!(found(&["0e12", "0e99", "00e5"]), of(&["00e5", "0e12", "0e99"]));
    assert_eq!(found(&["01", "001", "x"]), of(&["001", "01", "x"]));
    assert_eq!(found(&["1", "2", "10"]), [1, 2, 10].map(Label::Int));
    assert_eq!(found(&["1.0", "2.000e+00", "-3"]), [-3, 1, 2].map(Label::Int));
    assert_eq!(found(&["caf\u{e9}", "cafe\u{301}", "tea"]), of(&["caf\u{e9}", "tea"]));
    let (names, notes) = classes(b"0.5,\xe9t\xe9\n1.5,\xf6t\xf6\n").unwrap();
    assert_eq!((names, notes.contains("read as Latin-1")), (of(&["été", "ötö"]), true));
    for (labels, says) in [
        (&["0.5", "1"][..], "found fractions, such as `0.5` at line 1, column `label`"),
        (&["nan", "1"], "expected a label, found `nan` at line 1"),
        (&["NaN", "a"], "expected a label, found `NaN`"),
    ] {
        let error = read(&format!("x,label\n{}", table(labels)).replace("at line 1", "")).unwrap_err();
        assert!(error.contains(&says.replace("line 1", "line 2")), "{error}");
    }
}

fn utf16(text: &str, big: bool, mark: bool) -> Vec<u8> {
    let units = mark.then_some(0xfeff).into_iter().chain(text.encode_utf16());
    units.flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
}

#[test]
fn text_of_two_bytes_a_character() {
    let text = "x\ty\tkind\r\n1,5\t2\tété\r\n3\t4\t日本\r\n";
    for (big, mark) in [(false, true), (true, true), (false, false), (true, false)] {
        let (data, notes) = read_with(&utf16(text, big, mark), "").unwrap();
        assert_eq!(data.points(), &Points::F64(vec![1.5, 2.0, 3.0, 4.0]));
        assert_eq!(data.classes(), &["été", "日本"].map(Label::from));
        assert!(notes.contains("read as UTF-16"), "{notes}");
    }
    let odd = [utf16(text, false, true), vec![b'x']].concat();
    assert!(read_with(&odd, "").unwrap_err().contains("bytes that are none"));
}

#[test]
fn names_of_columns_in_two_spellings_are_one() {
    let names = |text: &str| match parse(
        text.as_bytes(),
        &TableOptions::default(),
        Path::new("t.csv"),
        &Budget::default(),
    )
    .unwrap()
    .columns
    {
        Columns::Names(names) => names,
        other => panic!("{other:?}"),
    };
    assert_eq!(names("caf\u{e9},label\n0.5,a\n"), names("cafe\u{301},label\n0.5,a\n"));
}

#[test]
fn separators_of_thousands_and_quotes_of_all_kinds() {
    let rows = [[1234.5, 2.0], [1_000_001.0, -30_400.25], [7.0, 0.5]];
    for text in [
        "\"1,234.5\",2,a\n\"1,000,001\",\"-30,400.25\",b\n7,0.5,a\n",
        "1.234,5;2;a\n1.000.001;-30.400,25;b\n7;0,5;a\n",
        "\"1234,5\",2,a\n1000001,\"-30400,25\",b\n7,\"0,5\",a\n",
        "sep=;\r\n1234.5;2;a\r\n1000001;-30400.25;b\r\n7;0.5;a\r\n;;\r\n;;\r\n",
        "% a b kind\n1234.5 2 a\n1000001 -30400.25 b\n7 0.5 a\n% the end",
        "'1234.5','2','a'\n'1000001','-30400.25','b'\n7,0.5,'a'\n",
    ] {
        let data = read(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(data.points(), &Points::F64(rows.concat()), "{text}");
        assert_eq!(data.classes(), &["a", "b"].map(Label::from), "{text}");
    }
    let classes = |text: &str| read(text).unwrap().classes().to_vec();
    let said = [Label::from("a, b"), Label::from("say \"x\"")];
    assert_eq!(classes("1.5,\"say \\\"x\\\"\"\n2.5,\"a, b\"\n"), said);
    assert_eq!(classes("1.5,say \\\"x\\\"\n2.5,\"a, b\"\n"), said);
    assert_eq!(classes("1.5,'say \"x\"'\n2.5,'a, b'\n"), said);
    assert_eq!(classes("1.5,\"C:\\a\\\"\n2.5,\"C:\\b\\\"\n"), ["C:\\a\\", "C:\\b\\"].map(Label::from));
    assert_eq!(
        classes("1.5,\"rock 'n' roll\"\n2.5,\"'a' 'b'\"\n"),
        ["'a' 'b'", "rock 'n' roll"].map(Label::from)
    );
}

/// Twelve lines of a table: what stands before and behind two fractions in the line of each number.
fn dozen(header: &str, line: impl Fn(usize) -> String) -> String {
    let lines =
        (0..12).map(|k| format!("{}\n", line(k).replace('~', &format!("{}.25,{}.5", 7 * k % 5, k % 3))));
    format!("{header}{}", lines.collect::<String>())
}

#[test]
fn columns_beside_the_labels_are_taken_for_what_they_are() {
    let kind = |k: usize| ["ant", "bee", "cat"][k * 5 % 3];
    for (header, line) in [
        ("PassengerId,a,b,kind\n", (|k| format!("{k},~,{}", k % 2)) as fn(usize) -> String),
        ("obs,a,b,class\n", |k| format!("{},~,{}", k + 1, k % 2)),
        ("name,a,b,class\n", |k| format!("thing {k},~,{}", k % 2)),
        ("level_0,a,b,class\n", |k| format!("{k},~,{}", k % 2)),
        ("a,b,class,class_name\n", |k| format!("~,{},{}", k % 2, ["ant", "bee"][k % 2])),
        ("a,b,true_label\n", |k| format!("~,{}", 5 * (k % 2))),
        ("n,a,b,Outcome\n", |k| format!("{},~,{}", k % 5 + 3, k % 2)),
    ] {
        let text = dozen(header, line);
        let data = read(&text).unwrap_or_else(|error| panic!("{header}: {error}"));
        assert_eq!(
            (data.dim(), data.class_count()),
            (2 + usize::from(header.starts_with("n,")), 2),
            "{header}"
        );
    }
    let truth = dozen("a,b,smoker,species\n", |k| format!("~,{},{}", ["TRUE", "FALSE"][k % 2], kind(k)));
    let data = read(&truth).unwrap();
    assert_eq!((data.dim(), data.row(0)[2], data.row(1)[2], data.class_count()), (3, 1.0, 0.0, 3));
    let ill = dozen("a,b,ill\n", |k| format!("~,{}", ["True", "False"][k % 2]));
    assert_eq!(read(&ill).unwrap().classes(), &["False", "True"].map(Label::from));
    for (header, line, says) in [
        (
            "date,a,b,regime\n",
            (|k| format!("2024-01-{:02},~,{}", k + 1, k % 2)) as fn(usize) -> String,
            "[label=COLUMN]",
        ),
        ("city,a,b,regime\n", |k| format!("{},~,{}", ["Rome", "Oslo"][k % 2], k / 6), "[label=COLUMN]"),
        ("a,b,share,class\n", |k| format!("~,{k}.5%,{}", k % 2), "such as `0.5%`"),
        ("a,b,split,class\n", |k| format!("~,{},{}", ["train", "test"][k % 2], k % 3), "[drop=split]"),
        ("a,b,fold,class\n", |k| format!("~,{},{}", k % 5, k % 3), "[drop=fold]"),
        ("time,a,b,class\n", |k| format!("{k},~,{}", k % 2), "[drop=time]"),
        ("customer_id,a,b,class\n", |k| format!("{},~,{}", k / 2, k % 2), "values that repeat"),
        ("", |k| format!("{},~,{}", 900 * k + 17 * (k % 4), ["M", "B"][k % 2]), "[drop=1]"),
        ("a,b,shade,kind\n", |k| format!("~,{},{}", k % 2, ["ant", "bee"][k % 2]), "[drop=shade]"),
        ("a,b,vs,am\n", |k| format!("~,{},{}", k % 2, k % 3), "`vs` and `am`"),
        ("when,a,b\n", |k| format!("2024-01-{:02},~", k + 1), "never comes again"),
        ("pixel0,pixel1,pixel2,pixel3\n", |k| format!("0,{},{},0", 9 * k, k), "found `pixel0` to `pixel3`"),
        ("", |k| format!("0,{},{},0", 9 * k, k), "a column of labels"),
        ("400,402,404,kind\n", |k| format!("~,{k},{}", ["ant", "bee"][k % 2]), "[header=yes]"),
        ("label,label,a,b\n", |k| format!("{},{},~", k % 2, k % 3), "`label` and `label`"),
        ("hue,a,b\n", |k| format!("#{k},~"), "which makes it a comment"),
        ("a,b,label\n", |k| format!("~,{}", ["NA", "x"][k % 2]), "found `NA` at line 2"),
    ] {
        match read(&dozen(header, line)) {
            Ok(_) => panic!("{header}"),
            Err(error) => assert!(error.contains(says) && !error.contains('\n'), "{header}: {error}"),
        }
    }
    // What is said decides.
    let text = dozen("time,a,b,class\n", |k| format!("{k},~,{}", k % 2));
    let dim = |options: &str| read_with(text.as_bytes(), options).unwrap().0.dim();
    assert_eq!((dim("[drop=time]"), dim("[drop=none]")), (2, 3));
    let twice = dozen("label,label,a,b\n", |k| format!("{},{},~", k % 2, k % 3));
    assert!(read_with(twice.as_bytes(), "[label=label]").unwrap_err().contains("give its number"));
    assert_eq!(read_with(twice.as_bytes(), "[label=2,drop=1]").unwrap().0.class_count(), 3);
}

#[test]
fn notes_say_what_was_taken_for_what() {
    let (data, notes) =
        read_with(b"id,x,species,species_code,sample_weight\n4,1,cat,0,2\n7,3,dog,1,1\n", "").unwrap();
    assert_eq!(
        notes,
        "labels in column `species`; names of samples in column `id`; weights in column `sample_weight`; left out: \
         column `species_code`"
    );
    assert_eq!((data.dim(), data.sample_weights()), (1, Some(&[2.0, 1.0][..])));
}

#[test]
fn samples_keep_what_they_are_called() {
    let names = |text: &str, options: &str| {
        let (data, _) = read_with(text.as_bytes(), options).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(data.dim(), 1, "{text}");
        data.sample_names().map(|names| names.join(" "))
    };
    for (text, options, expected) in [
        ("id,x,label\n7,1,a\n9,2,b\n", "", Some("7 9")),
        (",x,label\ncell_b,1,a\ncell_a,2,b\n", "", Some("cell_b cell_a")),
        ("Unnamed: 0,x,label,id\n0,1,a,p\n1,2,b,q\n", "", Some("p q")),
        ("x,label,patient\n1,a,Ada\n2,b,Ada\n", "[names=patient]", Some("Ada Ada")),
        ("1,a,u\n2,b,v\n", "[label=2,names=3]", Some("u v")),
        ("id,x,label\n7,1,a\n9,2,b\n", "[drop=id]", Some("7 9")),
        ("x,label,extra\n1,a,3\n2,b,4\n", "[drop=extra]", None),
        ("x,label\n1,a\n2,b\n", "", None),
    ] {
        assert_eq!(names(text, options).as_deref(), expected, "{text}{options}");
    }
    assert!(read_with(b"x,label\n1,a\n", "[names=id]").unwrap_err().contains("id"));
}

#[test]
fn what_is_wrong_is_named_by_line_and_column() {
    for (text, expected) in [
        (
            "a,b,label\n1,2,x\n1,nan,x\n",
            "expected a finite number at line 3, column `b`, found `nan`: leave out such lines (pandas: dropna), or fill them in",
        ),
        (
            "1,2,x\n,2,x\n",
            "expected a finite number at line 2, column 1, found nothing: leave out such lines (pandas: dropna), or fill them in",
        ),
        ("1,2,x\n1,oops,x\n", "expected a finite number at line 2, column 2, found `oops`"),
        ("1,-inf,x\n2,1,x\n", "expected a finite number at line 1, column 2, found `-inf`"),
        ("1,2,x\n1,x\n", "expected 2 columns, found 3 at line 1"),
        ("1,2,x\n2,3,x\n1,x\n", "expected 3 columns, found 2 at line 3"),
        (
            "a,b,label\n1,2,\n",
            "expected a label, found nothing at line 2, column `label`: leave out such samples, or call them by another \
             word",
        ),
        ("a,b,label\n", "expected at least one line of data, found none"),
        ("hello\n", "expected a label and at least one coordinate a line, found one column: \"hello\""),
    ] {
        assert_eq!(read(text).unwrap_err(), format!("t.csv: {expected}"), "{text}");
    }
    for text in ["@relation iris\n", "{\"a\": 1}", "<html>", "version https://git-lfs.github.com/spec/v1\n"] {
        assert!(read(text).unwrap_err().contains("cannot be read"), "{text}");
    }
}

#[test]
fn columns_of_nothing_are_left_out_but_a_label_is_missing() {
    for text in [
        // A separator behind the last name alone, as in a table of Kaggle's.
        "u,v,kind,\n1,2,cat\n3,4,dog\n",
        "id,u,v,kind,Unnamed: 4\n7,1,2,cat,\n5,3,4,dog,\n",
        "u,remark,v,kind\n1,,2,cat\n3,,4,dog\n",
        "u;v;kind;NaN only\n1;2;cat;nan\n3;4;dog;nan\n",
    ] {
        is_cat_and_dog(text);
    }
    let error = read("u,v,label\n1,2,\n3,4,\n").unwrap_err();
    assert!(error.contains("expected a label, found nothing at line 2"), "{error}");
}

#[test]
fn codes_in_any_form_stand_beside_labels_or_are_them() {
    for text in [
        "u,v,class_id,class_name\n1,2,0,cat\n3,4,1,dog\n",
        "label_text,label_id,u,v\ncat,0,1,2\ndog,1,3,4\n",
        "u,digit_no,v,digit\n1,0,2,cat\n3,1,4,dog\n",
    ] {
        is_cat_and_dog(text);
    }
    for name in ["cluster_id", "category_id", "Digit Index", "species_num", "cell_type_code"] {
        let data = read(&format!("u,{name},v\n1,0,2\n3,1,4\n5,0,6\n")).unwrap();
        assert_eq!((data.dim(), data.classes()), (2, &[Label::Int(0), Label::Int(1)][..]), "{name}");
    }
}

#[test]
fn text_that_holds_numbers_is_no_name_of_a_sample() {
    let rows = |make: &dyn Fn(usize) -> String| -> String { (0..12).map(make).collect() };
    // As numpy 2 writes what is printed in a list.
    let named = rows(&|k| format!("np.float64(0.{k}5),{k}.5,{}\n", ["cat", "dog"][k % 2]));
    let error = read(&format!("u,v,kind\n{named}")).unwrap_err();
    assert!(error.contains("text in column `u`, such as `np.float64(0.05)`"), "{error}");
    // Text that comes again once in twelve lines are no labels.
    let bare = rows(&|k| format!("np.float64(0.{}5),np.float64({k}.5),{}\n", k.max(1), k % 2));
    assert!(read(&bare).unwrap_err().contains("say which by [label=COLUMN]"));
}

#[test]
fn white_space_of_other_encodings_is_part_of_a_word() {
    // In code page 866 the last letter of the second is the byte of a space that does not break.
    let (data, notes) = read_with(b"u,v,kind\n1,2,\xab\xa8\xe1\n3,4,\xab\xa8\xe1\xa0\n5,6,x\n", "").unwrap();
    assert_eq!((data.class_count(), notes.contains("Latin-1")), (3, true));
    assert_eq!(read("u,v,kind\n1,2,\u{a0}\n3,4,b\n").unwrap_err().lines().count(), 1);
    let wide = "u,v\n1,a\n".chars().flat_map(|c| (c as u32).to_le_bytes());
    let error = read_with(&[0xff, 0xfe, 0, 0].into_iter().chain(wide).collect::<Vec<_>>(), "").unwrap_err();
    assert!(error.ends_with("found UTF-32"), "{error}");
}

#[test]
fn thousands_of_other_countries() {
    for (text, first) in [
        ("u;v;kind\n1'234'567.5;-2'000;cat\n3.25;4;dog\n", 1_234_567.5),
        ("u;v;kind\n1\u{a0}234,5;-2\u{a0}000,0;cat\n3,25;4,0;dog\n", 1234.5),
        ("u;v;kind\n12\u{202f}345,75;-2\u{202f}000;cat\n3,25;4;dog\n", 12_345.75),
        ("u\tv\tkind\n1\u{2019}234.5\t-2\u{2019}000\tcat\n3.25\t4\tdog\n", 1234.5),
    ] {
        let data = read(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(data.points(), &Points::F64(vec![first, -2000.0, 3.25, 4.0]), "{text}");
    }
    assert!(read("u;v;kind\n12'34.5;1;cat\n3.25;4;dog\n").unwrap_err().contains("12'34.5"));
}

#[test]
fn numbers_that_rise_beside_a_name_are_names() {
    let kinds = |k: usize| ["cat", "dog"][k % 2].to_owned();
    let data = |head: &str, label: &dyn Fn(usize) -> String| -> String {
        let rows = (0..8).map(|k| format!("{}.5,2,{}.25,{},{}\n", k % 3, 7 - k, k % 5, label(k)));
        [format!("{head}\n")].into_iter().chain(rows).collect()
    };
    for head in ["400.0,402.5,405.0,407.5,y", "100,200,300,400,y", "-3,0.5,2,1e3,kind of it"] {
        for label in [&|k: usize| (k % 2).to_string(), &kinds] as [&dyn Fn(usize) -> String; 2] {
            let found = read(&data(head, label)).unwrap_or_else(|error| panic!("{head}: {error}"));
            assert_eq!((found.len(), found.dim(), found.class_count()), (8, 4, 2), "{head}");
        }
    }
    // A word in a column of numbers, in a line that does not rise, may be either.
    let error = read(&data("5,1,9,2,what", &|k| (k % 2).to_string())).unwrap_err();
    assert!(error.contains("[header=yes] or [header=no]"), "{error}");
    let error = read("1.5,2,NA,1\n2.5,3,4,0\n1,2,3,1\n").unwrap_err();
    assert!(error.contains("found `NA`: leave out"), "{error}");
    assert!(read("1.5,2,?\n2.5,3,a\n1,2,b\n").unwrap_err().contains("expected a label, found `?` at line 1"));
}
